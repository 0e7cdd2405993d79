"""The post-import hook: apply the seams of a module of LiteLLM when that module is loaded.

`on_import` is the target of the entry points in the group ``litellm_patch``, so that
``wrapt.discover_post_import_hooks("litellm_patch")`` and autowrapt find it. wrapt lets an
exception of a hook fail the host's import; `on_import` therefore never raises.
"""

from __future__ import annotations

import logging
import sys
import threading
from dataclasses import dataclass, field

from . import __version__
from .release import loaded_release
from .report import once
from .seams.seam import DoesNotFit, Seam, Undo
from .seams.table import SEAMS
from .source.marker import in_source
from .trigger import ImportWatch, disarm, switched_off

WAITING, APPLIED, SKIPPED, FAILED = "waiting", "applied", "skipped", "failed"
NATIVE = "native"


@dataclass
class SeamState:
    """What became of one seam in this process.

    Attributes:
        state: `waiting` (its module is not loaded), `applied`, `native` (LiteLLM does it by
            itself), `skipped` (it does not look as expected) or `failed`.
        reason: why, where the state is `native`, `skipped` or `failed`.
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


def on_import(module: object) -> None:
    """Apply the seams of `module`. Called by wrapt after its import; safe to call again."""
    if switched_off():
        return
    with _lock:
        disarm()
        if _paused:
            return
        for state in STATES.values():
            if state.seam.module == getattr(module, "__name__", None):
                _apply(state, module)
                if state.state == WAITING:  # half-imported, and wrapt will not call again
                    _ON_NEXT_IMPORT.start()
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
    if all(state.state == NATIVE for state in STATES.values()):
        once(logging.INFO, f"litellm_patch {__version__}: stands down, LiteLLM has a source patch")
    elif all(state.state != WAITING for state in STATES.values()):
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
    if in_source():
        state.state, state.reason = NATIVE, "source patch"
        return
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


def _look_again(name: str) -> None:
    """Apply what is late, on the occasion of an import.

    A hook for a module that is half-imported, by another thread or further up this one, is
    fired at once by wrapt, and only once. Imports that follow are the occasions to look again.
    """
    try:
        if any(
            state.state == WAITING and state.seam.module in sys.modules for state in STATES.values()
        ):
            retry()
    except Exception as error:  # an import of the host's is under way: never fail it
        once(logging.WARNING, f"could not look again at a half-imported module: {error}")


_ON_NEXT_IMPORT = ImportWatch(_look_again)
