"""Commands and environments that are independent of the tests' own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LITELLM = "litellm[proxy]==1.89.7"
SOURCE = ("pyproject.toml", "setup.cfg", "README.md", "LICENSE", "CHANGELOG.md")
SOURCE += ("litellm_patch", "patches")
ONLY_HERE = (
    "PYTHONPATH",
    "PYTHONDONTWRITEBYTECODE",
    "VIRTUAL_ENV",
    "PYTHONHOME",
    "LITELLM_PATCH",
    "AUTOWRAPT_BOOTSTRAP",
)


@dataclass(frozen=True)
class Dist:
    """A release's files, made by `python -m build`, and a wheel built from the tree."""

    sdist: Path
    wheel: Path
    wheel_from_tree: Path


def run(
    command: Sequence[object],
    *,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    status: int = 0,
) -> str:
    """What a command says on both streams; its exit status must be `status`."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**outside(), **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=280,
    )
    assert done.returncode == status, done.stdout
    return done.stdout


def outside() -> dict[str, str]:
    """This process' environment without the variables that make Python look elsewhere."""
    environment = {key: value for key, value in os.environ.items() if key not in ONLY_HERE}
    environment["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    environment["NO_PROXY"] = "127.0.0.1,localhost"
    return environment


def on_path(bin: Path) -> dict[str, str]:
    """The environment of a shell in which a virtual environment is active."""
    return {"PATH": f"{bin}{os.pathsep}{os.environ['PATH']}"}


def copy_of_the_tree(folder: Path) -> Path:
    """What git knows of the project, but for the tests; links stay links."""
    for name in SOURCE:
        if (ROOT / name).is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignore)
        else:
            shutil.copy(ROOT / name, folder)
    return folder
