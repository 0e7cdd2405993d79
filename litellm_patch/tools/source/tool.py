"""Apply a unified diff with ``git apply`` or GNU patch, without fuzz, to copies of files."""

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


def patched(contents: Mapping[str, bytes], patch: bytes, reverse: bool = False) -> dict[str, bytes]:
    """`contents` (by path) with `patch` applied, or taken back.

    Raises:
        Refused: it does not apply, or there is no tool to apply it with.
    """
    tool = GIT if shutil.which("git") else GNU if shutil.which("patch") else None
    if tool is None:
        raise Refused("neither git nor patch is installed; one of them is needed")
    with tempfile.TemporaryDirectory(prefix="litellm-patch-") as folder:
        root = Path(folder).resolve()
        for path, content in contents.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        # No repository around it and no settings of the user's take part.
        clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        clean["GIT_CEILING_DIRECTORIES"] = str(root.parent)
        clean.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")
        command = [*tool, *(["--reverse"] if reverse else [])]
        done = subprocess.run(command, cwd=root, input=patch, capture_output=True, env=clean)
        if done.returncode:
            raise Refused((done.stderr or done.stdout).decode(errors="replace").strip())
        return {path: (root / path).read_bytes() for path in contents}
