"""The wheel installs with every pip that the supported Pythons bring, and with the newest."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from sandbox import on_path, run

PYTHONS = ("3.9", "3.13")
"""The oldest and the newest Python that is supported."""


def interpreter(version: str) -> str | None:
    found = shutil.which(f"python{version}")
    if found is None:
        return None
    # A shim of pyenv's is there for versions that are not switched on; ask it.
    works = subprocess.run([found, "-c", "import ensurepip"], capture_output=True).returncode == 0
    if works:
        return found
    entries = os.environ["PATH"].split(os.pathsep)
    kept = os.pathsep.join(e for e in entries if Path(e) != Path(found).parent)
    return shutil.which(f"python{version}", path=kept)


@pytest.mark.parametrize("pip", ["brought", "newest"])
@pytest.mark.parametrize("version", PYTHONS)
def test_it_installs_in_an_empty_environment(version, pip, dist, tmp_path):
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version} on PATH")
    run([python, "-m", "venv", tmp_path / "venv"], cwd=tmp_path)
    bin = tmp_path / "venv" / "bin"
    if pip == "newest":
        run([bin / "python", "-m", "pip", "install", "-q", "-U", "pip"], cwd=tmp_path)
    run([bin / "python", "-m", "pip", "install", "-q", dist.wheel], cwd=tmp_path)
    installed = run([bin / "python", "-m", "pip", "list", "--format=freeze"], cwd=tmp_path)
    names = {line.partition("==")[0].replace("-", "_") for line in installed.splitlines()}
    assert {"litellm_patch", "wrapt"} <= names <= {"litellm_patch", "wrapt", "pip", "setuptools"}

    program = "import litellm_patch, sys; print(litellm_patch.__file__, 'wrapt' in sys.modules)"
    said = run([bin / "python", "-c", program], cwd=tmp_path).split()
    assert said == [said[0], "False"]
    assert str(tmp_path) in said[0]
    # No LiteLLM here: it says so, and that is no success.
    path = {**on_path(bin), "PATH": f"{bin}{os.pathsep}/usr/bin{os.pathsep}/bin"}
    status = run([bin / "litellm-patch", "status"], cwd=tmp_path, environment=path, status=1)
    assert "no litellm" in status
    assert "Traceback" not in status
