"""What the patch is doing in this process."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from . import __version__, hooks
from .release import loaded_release
from .seam_state import APPLIED
from .trigger import mode


@dataclass(frozen=True)
class SeamStatus:
    """One seam: its name, place, state (`waiting`, `applied`, `native`, `skipped`, `failed`),
    the reason for the last three, and how often its code ran since start (applied is not
    reached)."""

    name: str
    place: str
    state: str
    reason: str
    reached: int


@dataclass(frozen=True)
class Status:
    """The state of the patch in this process.

    Attributes:
        version: of litellm_patch.
        mode: `on`, `off` or `strict`, as ``LITELLM_PATCH`` says.
        litellm: the release of the LiteLLM that is loaded, None before it is.
        litellm_file: where it was loaded from.
        seams: one entry for each row of the table of seams.
    """

    version: str
    mode: str
    litellm: str | None
    litellm_file: str | None
    seams: tuple[SeamStatus, ...]

    @property
    def applied(self) -> int:
        return sum(seam.state == APPLIED for seam in self.seams)


def status() -> Status:
    """What is applied, what was skipped and why, and what was reached, in this process."""
    hooks.retry()
    return Status(
        version=__version__,
        mode=mode(),
        litellm=loaded_release(),
        litellm_file=getattr(sys.modules.get("litellm"), "__file__", None),
        seams=tuple(
            SeamStatus(
                name=state.name,
                place=f"{state.seam.module}:{state.seam.attribute}",
                state=state.state,
                reason=state.reason,
                reached=state.reached,
            )
            for state in hooks.STATES.values()
        ),
    )
