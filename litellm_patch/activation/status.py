"""What the patch is doing in this process."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from .. import switch, trigger
from .._version import __version__
from . import hooks
from .release import loaded_release
from .seam_state import APPLIED, WAITING, SeamState


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
        why_not: why the patch is not on in this process, or "".
        seams: one entry for each row of the table of seams.
    """

    version: str
    mode: str
    litellm: str | None
    litellm_file: str | None
    why_not: str
    seams: tuple[SeamStatus, ...]

    @property
    def applied(self) -> int:
        return sum(seam.state == APPLIED for seam in self.seams)


def status() -> Status:
    """What is applied, what was skipped and why, and what was reached, in this process.

    Changes nothing: what waits goes on waiting.
    """
    trigger.looking += 1
    try:
        return Status(
            version=__version__,
            mode=switch.mode(),
            litellm=loaded_release(),
            litellm_file=getattr(sys.modules.get(trigger.TARGET), "__file__", None),
            why_not=_why_not(),
            seams=tuple(_seen(state) for state in hooks.STATES.values()),
        )
    finally:
        trigger.looking -= 1


def _why_not() -> str:
    if switch.switched_off():
        return f"LITELLM_PATCH={switch.said()}"
    if hooks.is_paused():
        return "deactivate() was called"
    if trigger.TARGET not in sys.modules:
        return "litellm is not imported yet"
    if trigger.passed_over():
        return "litellm was imported without our hook being asked"
    return ""


def _seen(state: SeamState) -> SeamStatus:
    lost = state.is_lost()
    return SeamStatus(
        name=state.name,
        place=f"{state.seam.module}:{state.seam.attribute}",
        state=WAITING if lost else state.state,
        reason="its module was loaded anew: activate() applies it" if lost else state.reason,
        reached=state.reached,
    )
