"""The source patches: which one is for which release of LiteLLM, and how it is applied."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

_GIT = ["git", "apply", "-p1", "--whitespace=nowarn"]
_GNU = ["patch", "-p1", "--fuzz=0", "--batch", "--silent", "--no-backup-if-mismatch"]


class Refused(Exception):
    """Nothing was changed. The text is for a person: it says why, and what to do."""


@dataclass(frozen=True)
class SourcePatch:
    """A unified diff.

    Attributes:
        name: its file name, ``FIRST-LAST-topic.patch``, with the releases that it is for.
        content: the file.
    """

    name: str
    content: bytes

    @property
    def first(self) -> str:
        return self.name.split("-")[0]

    @property
    def last(self) -> str:
        return self.name.split("-")[1]

    @property
    def paths(self) -> list[str]:
        """The files that it changes."""
        return re.findall(r"^\+\+\+ b/(\S+)$", self.content.decode(), re.M)

    def is_for(self, release: str) -> bool:
        """Whether `release` is in its range; pre-releases and post releases count as theirs."""
        return _number(self.first) <= _number(release) <= _number(self.last)


def source_patches() -> list[SourcePatch]:
    """Those that are installed, the one for the oldest releases first."""
    folder = files("litellm_patch") / "patches"
    there = [each for each in folder.iterdir() if each.name.endswith(".patch")]
    found = [SourcePatch(each.name, each.read_bytes()) for each in there]
    return sorted(found, key=lambda patch: _number(patch.first))


def patch_for(release: str) -> SourcePatch:
    """The patch for a release of LiteLLM, for example ``1.89.7``.

    Raises:
        Refused: there is none.
    """
    patches = source_patches()
    for patch in patches:
        if patch.is_for(release):
            return patch
    known = ", ".join(f"{patch.first} to {patch.last}" for patch in patches)
    raise Refused(f"there is no source patch for litellm {release}, only for {known}")


def patched(contents: Mapping[str, bytes], patch: bytes, reverse: bool = False) -> dict[str, bytes]:
    """`contents` (by path) with `patch` applied without fuzz, or taken back.

    Raises:
        Refused: it does not apply, or there is no tool to apply it with.
    """
    tool = _GIT if shutil.which("git") else _GNU if shutil.which("patch") else None
    if tool is None:
        raise Refused("neither git nor patch is installed; one of them is needed")
    with tempfile.TemporaryDirectory(prefix="litellm-patch-") as folder:
        root = Path(folder).resolve()
        for path, content in contents.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        # Keep out the repository around the folder, if there is one, and the user's settings.
        clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        clean["GIT_CEILING_DIRECTORIES"] = str(root.parent)
        clean.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")
        command = [*tool, *(["--reverse"] if reverse else [])]
        done = subprocess.run(command, cwd=root, input=patch, capture_output=True, env=clean)
        if done.returncode:
            raise Refused((done.stderr or done.stdout).decode(errors="replace").strip())
        return {path: (root / path).read_bytes() for path in contents}


def _number(release: str) -> tuple[int, ...]:
    """The first three numbers of a release."""
    return tuple(int(part) for part in re.findall(r"\d+", release)[:3])
