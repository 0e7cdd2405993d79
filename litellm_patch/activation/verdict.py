"""What the states of the seams come to, in words for the operator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..seams.seam import OTHER_ROUTER
from .seam_state import APPLIED, NATIVE, SOURCE_PATCH, WAITING


class Seen(Protocol):
    """A seam as it is in this process, or as it was in another one."""

    @property
    def name(self) -> str: ...

    @property
    def state(self) -> str: ...

    @property
    def reason(self) -> str: ...


def nothing_left(seams: Sequence[Seen]) -> bool:
    """Whether LiteLLM does by itself, without a source patch of ours, what all seams would do."""
    native = [seam for seam in seams if seam.state == NATIVE and seam.reason != SOURCE_PATCH]
    return bool(seams) and len(native) == len(seams)


def verdict(release: str | None, seams: Sequence[Seen]) -> str:
    """One line on a LiteLLM that is loaded."""
    on = f"litellm {release or 'of unknown release'}"
    if nothing_left(seams):
        return f"nothing left to do on {on}: litellm_patch can be removed"
    needed = [seam for seam in seams if seam.state != NATIVE]
    if not needed:
        return f"stands down, {on} has a source patch"
    applied = sum(seam.state == APPLIED for seam in needed)
    native = [seam for seam in seams if seam.state == NATIVE]
    idle = [seam.name for seam in native if seam.reason != OTHER_ROUTER]  # which each release has
    more = f", not needed there: {', '.join(idle)}" if idle else ""
    waiting = [seam.name for seam in seams if seam.state == WAITING]
    more += f", waiting for their modules: {', '.join(waiting)}" if waiting else ""
    return f"Retry-After active on {on}, {applied}/{len(needed)} seams{more}"
