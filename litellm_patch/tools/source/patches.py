"""The source patches, and which one is for which release of LiteLLM."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files

from .refused import Refused


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
        """The files that it changes. What the others import from is first."""
        paths: list[str] = re.findall(r"^\+\+\+ b/(\S+)$", self.content.decode(), re.M)
        return sorted(paths, key=lambda path: path != "litellm/types/router.py")

    def is_for(self, release: str) -> bool:
        """Whether `release` is in its range; pre-releases and post releases count as theirs."""
        return _number(self.first) <= _number(release) <= _number(self.last)


def source_patches() -> list[SourcePatch]:
    """Those that are installed, the one for the oldest releases first."""
    folder = files("litellm_patch") / "patches"
    try:
        there = [each for each in folder.iterdir() if each.name.endswith(".patch")]
    except OSError:
        there = []
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
    known = ", ".join(f"{patch.first} to {patch.last}" for patch in patches) or "none at all"
    raise Refused(f"there is no source patch for litellm {release}, only for {known}")


def _number(release: str) -> tuple[int, ...]:
    """The first three numbers of a release."""
    return tuple(int(part) for part in re.findall(r"\d+", release)[:3])
