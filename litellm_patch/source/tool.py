"""Apply a unified diff to the contents of files, with ``git apply`` or GNU patch.

Both work on copies in a temporary directory. Neither is trusted with the result: who calls
this compares hashes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from .refused import Refused

GIT = ["git", "apply", "-p1", "--whitespace=nowarn"]
GNU = ["patch", "-p1", "--fuzz=0", "--batch", "--silent", "--no-backup-if-mismatch"]


def patched(contents: Mapping[str, bytes], patch: bytes, reverse: bool) -> dict[str, bytes]:
    """`contents` (by path) with `patch` applied, or taken back.

    Raises:
        Refused: it does not apply, or there is no tool to apply it with.
    """
    with tempfile.TemporaryDirectory(prefix="litellm-patch-") as folder:
        root = Path(folder).resolve() / "tree"
        for path, content in contents.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        command = [*_tool(), *(["--reverse"] if reverse else [])]
        done = subprocess.run(
            command, cwd=root, input=patch, capture_output=True, env=_environment(root)
        )
        if done.returncode:
            said = (done.stderr or done.stdout).decode(errors="replace").strip()
            raise Refused(f"{command[0]} could not apply the patch: {said}")
        return {path: (root / path).read_bytes() for path in contents}


def _tool() -> list[str]:
    if shutil.which("git"):
        return GIT
    if shutil.which("patch"):
        return GNU
    raise Refused("neither git nor patch is installed; one of them is needed")


def _environment(root: Path) -> dict[str, str]:
    """No repository around the temporary directory and no settings of the user's take part."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment["GIT_CEILING_DIRECTORIES"] = str(root.parent)
    environment["GIT_CONFIG_GLOBAL"] = os.devnull
    environment["GIT_CONFIG_NOSYSTEM"] = "1"
    return environment
