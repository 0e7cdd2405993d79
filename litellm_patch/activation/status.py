"""What the patch is doing in this process."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from .. import switch, trigger
from .._version import __version__
from . import hooks
from .messages import loaded_release
from .seam_state import APPLIED
from .seam_state import SeamStatus as SeamStatus


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

    Changes nothing: seams that wait go on waiting.
    """
    with trigger.looking:
        return Status(
            version=__version__,
            mode=switch.mode(),
            litellm=loaded_release(),
            litellm_file=getattr(sys.modules.get(trigger.TARGET), "__file__", None),
            why_not=_why_not(),
            seams=tuple(state.seen() for state in hooks.STATES.values()),
        )


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
