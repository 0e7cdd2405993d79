"""A damaged installation of ours: nobody else notices, and a process with LiteLLM is told once."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable

import pytest

import litellm_patch

PACKAGE = Path(litellm_patch.__file__).parent
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2


def cut_bytecode(package: Path) -> None:
    subprocess.run([sys.executable, "-m", "compileall", "-q", "-l", package], check=True)
    for file in (package / "__pycache__").glob("*.pyc"):
        file.write_bytes(file.read_bytes()[:40])


def content(file: str, content: bytes) -> Callable[[Path], object]:
    return lambda package: (package / file).write_bytes(content)


def bound_by_modes() -> None:
    """Let root, too, be refused a file by its mode, in what this process executes."""
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability)


FIRST, TRIGGER = "__init__.py", "trigger.py"
DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut bytecode": cut_bytecode,
    "NULs in the first file": content(FIRST, bytes(900)),
    "cut": content(TRIGGER, b"def arm(:"),
    "empty": content(TRIGGER, b""),
    "empty first file": content(FIRST, b""),
    "recurses": content(TRIGGER, b"def f(): f()\nf()"),
    "unreadable": lambda package: (package / TRIGGER).chmod(0),
}


@pytest.fixture
def start(tmp_path):
    """Run a program under two damaged copies of litellm_patch, with an agent behind them."""
    roots = [tmp_path / "one", tmp_path / "two"]
    for root in roots:
        ignored = shutil.ignore_patterns("__pycache__", "patches")
        shutil.copytree(PACKAGE, root / "litellm_patch", ignore=ignored)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "sitecustomize.py").write_text("import builtins; builtins.theirs = True\n")
    (theirs / "litellm.py").write_text("")

    def run(damage: str, program: str, **environment: str) -> subprocess.CompletedProcess[str]:
        for root in roots:
            DAMAGES[damage](root / "litellm_patch")
        path = [*(root / "litellm_patch/bootstrap" for root in roots), theirs, *roots]
        return subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), **environment},
            cwd=theirs,
            capture_output=True,
            text=True,
            timeout=60,
            preexec_fn=bound_by_modes if os.geteuid() == 0 else None,
        )

    return run


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_process_without_litellm_does_not_notice_and_one_with_it_says_it_once(damage, start):
    done = start(damage, "print(theirs)", LITELLM_PATCH="strict")
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
    for word, status, printed in (("on", 0, "True\n"), ("strict", 78, "")):
        done = start(damage, "import litellm; print(theirs)", LITELLM_PATCH=word)
        assert (done.returncode, done.stdout) == (status, printed)
        assert done.stderr.startswith("litellm_patch: not active, install it again: ")
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("silent", ["switched off", "a folder that cannot be read"])
def test_a_process_with_litellm_that_says_nothing(silent, start, tmp_path):
    off = silent == "switched off"
    for root in ("one", "two"):
        (tmp_path / root / "litellm_patch").chmod(0o755 if off else 0)
    damage = "cut" if off else "unreadable"
    word = "off" if off else "on"
    done = start(damage, "import litellm; print(theirs)", LITELLM_PATCH=word)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
