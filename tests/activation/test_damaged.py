"""A damaged installation of ours: nobody else notices, and a process with LiteLLM is told once."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import litellm_patch

PACKAGE = Path(litellm_patch.__file__).parent
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2


def truncated_bytecode(package: Path) -> None:
    compile_all(package)
    for file in (package / "__pycache__").glob("*.pyc"):
        file.write_bytes(file.read_bytes()[:40])


def zeroed_bytecode(package: Path) -> None:
    compile_all(package)
    for file in (package / "__pycache__").glob("*.pyc"):
        file.write_bytes(file.read_bytes()[:16] + bytes(400))


def compile_all(package: Path) -> None:
    subprocess.run([sys.executable, "-m", "compileall", "-q", "-l", package], check=True)


def bound_by_modes() -> None:
    """Let root, too, be refused a file by its mode, in what this process executes."""
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability)


DAMAGES = {
    "truncated bytecode": truncated_bytecode,
    "zeroed bytecode": zeroed_bytecode,
    "NULs": lambda package: (package / "trigger.py").write_bytes(bytes(4000)),
    "NULs in the first file": lambda package: (package / "__init__.py").write_bytes(bytes(900)),
    "cut": lambda package: (package / "trigger.py").write_bytes(b"def arm(:"),
    "empty": lambda package: (package / "trigger.py").write_bytes(b""),
    "empty first file": lambda package: (package / "__init__.py").write_bytes(b""),
    "no UTF-8": lambda package: (package / "trigger.py").write_bytes(b"'\xff'"),
    "a name missing": lambda package: (package / "trigger.py").write_text(
        "from litellm_patch import nothing"
    ),
    "unreadable": lambda package: (package / "trigger.py").chmod(0),
    "unreadable first file": lambda package: (package / "__init__.py").chmod(0),
    "raises": lambda package: (package / "trigger.py").write_text("raise ValueError('here')"),
    "recurses": lambda package: (package / "trigger.py").write_text("def f(): f()\nf()"),
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
def test_a_process_without_litellm_does_not_notice(damage, start):
    done = start(damage, "print(theirs)")
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_process_with_litellm_says_it_once(damage, start):
    done = start(damage, "import litellm; print(theirs)")
    assert (done.returncode, done.stdout) == (0, "True\n")
    assert done.stderr.startswith("litellm_patch: not active, install it again: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("damage", ["truncated bytecode", "NULs"])
def test_strict_ends_a_process_with_litellm(damage, start):
    done = start(damage, "import litellm; print(theirs)", LITELLM_PATCH="strict")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (78, "", 1)
    assert start(damage, "print(theirs)", LITELLM_PATCH="strict").returncode == 0


def test_switched_off_says_nothing(start):
    done = start("NULs", "import litellm; print(theirs)", LITELLM_PATCH="off")
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


def test_a_folder_that_cannot_be_read_hides_nothing(start, tmp_path):
    for root in ("one", "two"):
        (tmp_path / root / "litellm_patch").chmod(0)
    done = start("unreadable", "import litellm; print(theirs)")
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
