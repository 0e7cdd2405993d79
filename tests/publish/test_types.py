"""A user's type checker finds the type of every public name of the installed wheel."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sandbox import ROOT, on_path, outside, run

SAMPLE = Path(__file__).with_name("sample_user.py")
WITHOUT_ANNOTATIONS = (
    "litellm_patch.trigger.",
    "litellm_patch.bootstrap.",
    "litellm_patch.tools.survey.child.",
)
"""These modules are not public: they run in every Python at start, or in an older one."""


@pytest.fixture(scope="module")
def user(dist, tmp_path_factory) -> Path:
    """The ``bin`` of an environment that has the wheel, and FastAPI for `litellm_patch.fastapi`."""
    venv = tmp_path_factory.mktemp("user") / "venv"
    run(["uv", "venv", "-q", "-p", sys.executable, venv], cwd=ROOT)
    run(["uv", "pip", "install", "-q", "-p", venv / "bin/python", dist.wheel, "fastapi"], cwd=ROOT)
    return venv / "bin"


def pyright(user: Path, *arguments: str, cwd: Path) -> str:
    command = [sys.executable, "-m", "pyright", *arguments]
    environment = {**outside(), **on_path(user)}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    return done.stdout or done.stderr


def test_the_sample_program_uses_every_public_name():
    import litellm_patch

    text = SAMPLE.read_text()
    assert [name for name in litellm_patch.__all__ if f"litellm_patch.{name}" not in text] == []


def test_mypy_strict_accepts_a_users_program(user, tmp_path):
    (tmp_path / "program.py").write_text(SAMPLE.read_text())
    mypy = [sys.executable, "-m", "mypy", "--strict", "--python-executable", user / "python"]
    assert "Success" in run([*mypy, "program.py"], cwd=tmp_path)


def test_pyright_strict_accepts_it_too(user, tmp_path):
    (tmp_path / "program.py").write_text("# pyright: strict\n" + SAMPLE.read_text())
    said = pyright(user, "program.py", cwd=tmp_path)
    assert said.startswith("0 errors, 0 warnings"), said


def test_every_public_symbol_has_a_known_type(user, tmp_path):
    options = ("--verifytypes", "litellm_patch", "--ignoreexternal", "--outputjson")
    symbols = json.loads(pyright(user, *options, cwd=tmp_path))["typeCompleteness"]["symbols"]
    assert len(symbols) > 100
    unknown = [s["name"] for s in symbols if s["isExported"] and not s["isTypeKnown"]]
    assert [name for name in unknown if not name.startswith(WITHOUT_ANNOTATIONS)] == []
