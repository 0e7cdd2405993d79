"""What the operator is told: that the patch is on, which seams are not, and why."""

from __future__ import annotations

import logging
import sys
from collections.abc import Collection
from importlib import metadata
from typing import Union

from .._version import __version__
from ..log import once
from ..seams.seam import OTHER_ROUTER
from ..switch import STRICT, mode, stop
from .seam_state import (
    APPLIED,
    FAILED,
    NATIVE,
    SKIPPED,
    SOURCE_PATCH,
    WAITING,
    SeamState,
    SeamStatus,
)

Seen = Union[SeamState, SeamStatus]
"""A seam as it is in this process, or as it was in another one."""


def loaded_release() -> str | None:
    """The release of the loaded LiteLLM by its metadata, None if it is not loaded or unknown.

    For messages only: features decide what is patched, not versions.
    """
    try:
        return metadata.version("litellm") if "litellm" in sys.modules else None
    except metadata.PackageNotFoundError:
        return None


def say_that_it_is_on(seams: Collection[Seen]) -> None:
    """The line that operators look for, once in each process."""
    told = verdict(loaded_release(), seams)
    once(logging.INFO, f"litellm_patch {__version__}: {told}", kind="active")


def warn(seams: Collection[Seen]) -> None:
    """One warning for each of `seams` that could not be applied."""
    for seam in _wrong(seams):
        text = f"seam {seam.name} {seam.state}, LiteLLM is unchanged there: {seam.reason}"
        once(logging.WARNING, text)


def stop_if_strict(seams: Collection[Seen]) -> None:
    """In strict mode, end the process if one of `seams` could not be applied."""
    wrong = "; ".join(f"seam {s.name} {s.state}: {s.reason}" for s in _wrong(seams))
    if wrong and mode() == STRICT:
        stop(f"litellm {loaded_release() or 'of unknown release'} is not as expected: {wrong}")


def nothing_left(seams: Collection[Seen]) -> bool:
    """Whether LiteLLM does by itself, without a source patch of ours, what all seams would do."""
    return bool(seams) and all(
        seam.state == NATIVE and seam.reason != SOURCE_PATCH for seam in seams
    )


def verdict(release: str | None, seams: Collection[Seen]) -> str:
    """One line on a LiteLLM that is loaded."""
    on = f"litellm {release or 'of unknown release'}"
    if nothing_left(seams):
        return f"nothing left to do on {on}: litellm_patch can be removed"
    needed = [seam for seam in seams if seam.state != NATIVE]
    if not needed:
        return f"stands down, {on} has a source patch"
    applied = sum(seam.state == APPLIED for seam in needed)
    # Every release lacks one of the two routers, so that is not worth a word.
    idle = [s.name for s in seams if s.state == NATIVE and s.reason != OTHER_ROUTER]
    more = f", not needed there: {', '.join(idle)}" if idle else ""
    waiting = [seam.name for seam in seams if seam.state == WAITING]
    more += f", waiting for their modules: {', '.join(waiting)}" if waiting else ""
    return f"Retry-After active on {on}, {applied}/{len(needed)} seams{more}"


def _wrong(seams: Collection[Seen]) -> list[Seen]:
    return [seam for seam in seams if seam.state in (SKIPPED, FAILED)]
