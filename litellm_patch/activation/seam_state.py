"""What became of one seam in this process, and how it changes."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..seams.seam import OTHER_ROUTER, DoesNotFit, Seam, Undo, in_source
from ..switch import text_of

WAITING, APPLIED, NATIVE = "waiting", "applied", "native"
SKIPPED, FAILED = "skipped", "failed"

SOURCE_PATCH = "source patch"
"""The reason for `native` where LiteLLM was built with the patch from ``patches/``."""


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


@dataclass
class SeamState:
    """What became of one seam in this process. Its methods are called under the hooks' lock.

    Attributes:
        state: `waiting` (its module is not loaded), `applied`, `native` (this release does not
            need it), `skipped` (it does not look as expected) or `failed`.
        reason: why, where the state is `native`, `skipped` or `failed`.
        reached: how often its code ran.
    """

    seam: Seam
    state: str = WAITING
    reason: str = ""
    reached: int = 0
    _undo: Undo | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return self.seam.name

    def seen(self) -> SeamStatus:
        place = f"{self.seam.module}:{self.seam.attribute}"
        return SeamStatus(self.name, place, self.state, self.reason, self.reached)

    def count(self) -> None:
        self.reached += 1

    def apply(self, module: object) -> bool:
        """Apply the seam, if it waits, to its module, which has been executed to its end.

        Returns whether the state has changed.
        """
        if self.state != WAITING:
            return False
        try:
            self.reason = SOURCE_PATCH if in_source() else self.seam.why_unneeded(module)
            if not self.reason:
                self._undo = self.seam.joint.attach(module, self.seam, self.count)
            self.state = NATIVE if self.reason else APPLIED
        except DoesNotFit as error:
            self.state, self.reason = SKIPPED, str(error)
        except Exception as error:
            self.state, self.reason = FAILED, text_of(error)
        return True

    def give_up(self) -> None:
        """There is no such module in this release."""
        try:
            why = self.seam.why_unneeded(None)
        except Exception:
            why = ""
        self.state = NATIVE if why else SKIPPED
        missing = f"this release has no module {self.seam.module}"
        self.reason = why if why == OTHER_ROUTER else missing

    def stuck(self) -> str:
        """Why it could not be taken off now, or "". Changes nothing."""
        return _failure(getattr(self._undo, "check", None))

    def take_off(self) -> str:
        """Give LiteLLM back what was wrapped. Returns why that was not possible, or ""."""
        why = _failure(self._undo)
        if not why:
            self._undo, self.state, self.reason = None, WAITING, ""
        return why


def _failure(step: Undo | None) -> str:
    """Why `step`, if there is one, could not be taken, or ""."""
    try:
        if step is not None:
            step()
    except DoesNotFit as error:
        return str(error)
    except Exception as error:
        return text_of(error)
    return ""
