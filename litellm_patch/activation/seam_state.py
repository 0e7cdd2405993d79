"""What became of one seam in this process, and how it changes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..log import text_of
from ..seams.seam import OTHER_ROUTER, DoesNotFit, Seam, Undo
from ..seams.source_patch import in_source

WAITING, APPLIED, NATIVE = "waiting", "applied", "native"
SKIPPED, FAILED = "skipped", "failed"

SOURCE_PATCH = "source patch"
"""The reason for `native` where LiteLLM was built with the patch from ``patches/``."""

_LAYERS_AT_MOST = 100


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
    _undos: list[Undo] = field(default_factory=list, repr=False)
    _home: tuple[Any, Any, Any] = field(default=(None, None, None), repr=False)

    @property
    def name(self) -> str:
        return self.seam.name

    def count(self) -> None:
        self.reached += 1

    def apply(self, module: object, whole: bool) -> bool:
        """Apply the seam to its module if it waits for it; whether the state has changed.

        Args:
            whole: the module has been executed to its end, so that what it lacks is lacking.
        """
        if self.state != WAITING and not self._was_loaded_anew(module):
            return False
        before, self.state, self.reason = self.state, WAITING, ""
        try:
            self.reason = SOURCE_PATCH if in_source() else self.seam.unneeded(module)
            if not self.reason:
                self._undos.append(self.seam.joint.attach(module, self.seam, self.count))
            self.state = NATIVE if self.reason else APPLIED
        except DoesNotFit as error:
            self.state, self.reason = SKIPPED, str(error)
        except Exception as error:
            self.state, self.reason = FAILED, text_of(error)
        if self.state != APPLIED and not whole:
            self.state, self.reason = WAITING, ""
        self._home = _home_of(self.seam, module)
        return self.state != before

    def give_up(self) -> None:
        """There is no such module in this release."""
        try:
            why = self.seam.unneeded(None)
        except Exception:
            why = ""
        self.state = NATIVE if why else SKIPPED
        missing = f"this release has no module {self.seam.module}"
        self.reason = why if why == OTHER_ROUTER else missing

    def stuck(self) -> str:
        """Why it could not be taken off now, or "". Changes nothing."""
        try:
            for undo in self._undos:
                getattr(undo, "check", bool)()
        except Exception as error:
            return _why(error)
        return ""

    def take_off(self) -> str:
        """Give LiteLLM back what was wrapped. Returns why that was not possible, or ""."""
        while self._undos:
            try:
                self._undos[-1]()
            except Exception as error:
                return _why(error)
            self._undos.pop()
        self.state, self.reason = WAITING, ""
        return ""

    def is_late(self) -> bool:
        """Whether it waits although its module is there."""
        return self.state == WAITING and self.seam.module in sys.modules

    def is_lost(self) -> bool:
        """Whether its module was loaded anew since, and nobody has looked at that one yet."""
        module = sys.modules.get(self.seam.module)
        return self.state != WAITING and module is not None and self._was_loaded_anew(module)

    def _was_loaded_anew(self, module: object) -> bool:
        """Whether the place that was judged is gone: by `importlib.reload`, or a new import.

        While a reload runs, the module still has its old content under its new spec; so the
        content is compared, too.
        """
        old_module, old_spec, old_place = self._home
        _, spec, place = _home_of(self.seam, module)
        if old_module is module and old_spec is spec:
            return False
        return all(layer is not old_place for layer in _layers(place))


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, DoesNotFit) else text_of(error)


def _home_of(seam: Seam, module: object) -> tuple[Any, Any, Any]:
    """The module, its spec (a reload makes a new one), and the class or object in it."""
    try:
        place = getattr(module, seam.attribute.partition(".")[0], None)
    except Exception:  # a module may compute its attributes (PEP 562)
        place = None
    return module, getattr(module, "__spec__", None), place


def _layers(place: object) -> Iterator[object]:
    """`place`, and what it wraps."""
    for _ in range(_LAYERS_AT_MOST):
        yield place
        if not hasattr(place, "__wrapped__"):
            return
        place = place.__wrapped__


def is_half_imported(module: object) -> bool:
    """Whether the module is still being executed, by this thread or another one."""
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))
