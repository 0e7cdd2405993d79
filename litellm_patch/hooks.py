"""The post-import hook: apply the seams of a module of LiteLLM when that module is loaded.

`on_import` is the target of the entry points in the group ``litellm_patch``, so that
``wrapt.discover_post_import_hooks("litellm_patch")`` and autowrapt find it. wrapt lets an
exception of a hook fail the host's import; `on_import` therefore never raises.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from dataclasses import dataclass, field

from . import __version__
from .release import loaded_release
from .report import once
from .seams.seam import DoesNotFit, Seam, Undo
from .seams.table import SEAMS
from .trigger import switched_off

WAITING, APPLIED, SKIPPED, FAILED = "waiting", "applied", "skipped", "failed"


@dataclass
class SeamState:
    """What became of one seam in this process.

    Attributes:
        state: `waiting` (its module is not loaded), `applied`, `skipped` (it does not look as
            expected) or `failed`.
        reason: why, where the state is `skipped` or `failed`.
        reached: how often its code ran.
    """

    seam: Seam
    state: str = WAITING
    reason: str = ""
    reached: int = 0
    undo: Undo | None = field(default=None, repr=False)

    def count(self) -> None:
        self.reached += 1


STATES: dict[str, SeamState] = {seam.name: SeamState(seam) for seam in SEAMS}
_lock = threading.RLock()
_paused = False


class HalfImported(DoesNotFit):
    """The module is still being executed and has not defined the seam's place yet."""


def on_import(module: object) -> None:
    """Apply the seams of `module`. Called by wrapt after its import; safe to call again."""
    if switched_off():
        return
    with _lock:
        if _paused:
            return
        for state in STATES.values():
            if state.seam.module == getattr(module, "__name__", None):
                _apply(state, module)
        if any(_is_late(state) for state in STATES.values()):
            _RETRY.arm()
        _announce()


def pause() -> list[str]:
    """Take all seams off and let none on. Returns the names of those that could not be."""
    global _paused
    with _lock:
        _paused = True
        return [state.seam.name for state in STATES.values() if not _take_off(state)]


def resume() -> None:
    """Let seams on again, and apply those whose modules are loaded."""
    global _paused
    with _lock:
        _paused = False
        retry()


def retry() -> None:
    """Apply what waits although its module is there, for example since it was half-imported."""
    for name in {state.seam.module for state in STATES.values() if state.state == WAITING}:
        module = sys.modules.get(name)
        if module is not None:
            on_import(module)


def _announce() -> None:
    """The line that an operator looks for in the log of a proxy: it is on, and on what."""
    for state in STATES.values():
        if state.state == WAITING and _is_absent(state.seam.module):
            state.state, state.reason = SKIPPED, f"this release has no {state.seam.module}"
    if all(state.state != WAITING for state in STATES.values()):
        applied = sum(state.state == APPLIED for state in STATES.values())
        once(
            logging.INFO,
            f"litellm_patch {__version__}: Retry-After active on litellm "
            f"{loaded_release() or 'of unknown release'}, {applied}/{len(STATES)} seams",
        )


def _apply(state: SeamState, module: object) -> None:
    if state.state == APPLIED:
        return
    seam = state.seam
    try:
        state.undo = seam.joint.attach(module, seam, state.count)
        state.state, state.reason = APPLIED, ""
    except DoesNotFit as error:
        if _is_half_imported(module):
            return  # still waiting
        state.state, state.reason = SKIPPED, str(error)
        once(logging.WARNING, f"seam {seam.name} skipped, LiteLLM is unchanged there: {error}")
    except Exception as error:
        state.state, state.reason = FAILED, f"{type(error).__name__}: {error}"
        once(logging.WARNING, f"seam {seam.name} failed, LiteLLM is unchanged: {state.reason}")


def _take_off(state: SeamState) -> bool:
    if state.undo is not None:
        try:
            state.undo()
        except Exception as error:
            state.reason = f"cannot be undone: {error}"
            once(logging.WARNING, f"seam {state.seam.name} {state.reason}")
            return False
    state.state, state.reason, state.undo = WAITING, "", None
    return True


def _is_half_imported(module: object) -> bool:
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


def _is_absent(module: str) -> bool:
    """Whether LiteLLM has no such module, so that there is nothing to wait for.

    Looks for the file: `importlib.util.find_spec` would import the packages above it.
    """
    package, *rest = module.split(".")
    places = getattr(sys.modules.get(package), "__path__", None)
    if places is None:
        return False
    files = [os.path.join(place, *rest) for place in places]
    return not any(os.path.exists(file) or os.path.exists(f"{file}.py") for file in files)


def _is_late(state: SeamState) -> bool:
    return state.state == WAITING and state.seam.module in sys.modules


class _RetryOnNextImport:
    """A ``sys.meta_path`` entry that calls `retry` until nothing is late any more.

    A hook for a module that is half-imported, by another thread or further up this one, is
    fired at once by wrapt, and only once. Imports that follow are the occasions to look again.
    """

    def __init__(self) -> None:
        self._busy = False

    def arm(self) -> None:
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            retry()
            if not any(_is_late(state) for state in STATES.values()) and self in sys.meta_path:
                sys.meta_path.remove(self)
        except Exception as error:  # an import of the host's is under way: never fail it
            once(logging.WARNING, f"could not look again at a half-imported module: {error}")
        finally:
            self._busy = False


_RETRY = _RetryOnNextImport()
