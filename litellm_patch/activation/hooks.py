"""The post-import hook: apply the seams of a module of LiteLLM when that module is loaded.

`on_import` is the target of the entry points in the group ``litellm_patch``, so that
``wrapt.discover_post_import_hooks("litellm_patch")`` and autowrapt find it. wrapt lets an
exception of a hook fail the host's import; `on_import` therefore never raises.

Nothing is imported and nothing is logged while the lock is held: an import waits for the
locks of modules, whose holders may be waiting for ours.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Iterable
from importlib.util import find_spec

from .._version import __version__
from ..log import once, text_of
from ..options import current
from ..seams.table import SEAMS
from ..switch import STRICT, mode, stop, switched_off
from .release import loaded_release
from .seam_state import FAILED, SKIPPED, WAITING, SeamState, is_half_imported
from .verdict import verdict

PROXY = "litellm.proxy.proxy_server"
"""Once this is loaded, LiteLLM has loaded what it serves requests with: the start is over."""

STATES: dict[str, SeamState] = {seam.name: SeamState(seam) for seam in SEAMS}
MODULES = {PROXY, *(seam.module for seam in SEAMS)}
_lock = threading.RLock()
_paused = False
_start_is_over = False
_awaited: set[int] = set()


def on_import(module: object) -> None:
    """Apply the seams of `module`, which may be half-imported. Safe to call again."""
    _apply_to([module])


def on_loaded(module: object) -> None:
    """Apply the seams of `module`: finished executing, though still marked as initializing."""
    _apply_to([module], whole=True)


def pause() -> list[str]:
    """Take all seams off and let none on, or change nothing. Returns what is in the way, and why.

    All are asked before the first is taken off: one that was put on again would stand outside
    of wrappers that were put around it before.
    """
    global _paused
    with _lock:
        stuck = [(state, state.stuck()) for state in STATES.values()]
        if not any(why for _, why in stuck):
            _paused = True
            # Backwards, so that of two seams at one place the outer one goes first.
            stuck = [(state, state.take_off()) for state in reversed(STATES.values())]
    told = [f"{state.name} ({why})" for state, why in stuck if why]
    if told and _paused:  # another thread wrapped one meanwhile
        resume()
    return told


def is_paused() -> bool:
    """Whether no seam is let on."""
    return _paused


def resume() -> None:
    """Let seams on again, and apply those whose modules are loaded, or were loaded anew.

    wrapt calls a hook once, so that nothing calls us after an `importlib.reload`. A finder
    would see it, but would be asked by each import that fails, and LiteLLM has such imports
    in every request.
    """
    global _paused
    with _lock:
        _paused = False
    _apply_to([sys.modules[name] for name in MODULES if name in sys.modules])


def _apply_to(loaded: Iterable[object], whole: bool = False) -> None:
    try:
        if switched_off():
            return
        modules = {str(getattr(module, "__name__", "")): module for module in loaded}
        with _lock:
            if _paused:
                return
            changed = [
                state
                for name, module in modules.items()
                for state in STATES.values()
                if state.seam.module == name
                and state.apply(module, whole or not is_half_imported(module))
            ]
            late = {state.seam.module for state in STATES.values() if state.is_late()}
        for name in late & set(modules):
            _wait_until_whole(modules[name])
        if not late and (_is_whole(PROXY) or (whole and PROXY in modules)):
            changed += _finish_start()
        _tell(changed)
    except Exception as error:
        once(logging.WARNING, f"LiteLLM is unchanged where it was to be patched: {text_of(error)}")
        if mode() == STRICT:
            stop(text_of(error))


def _wait_until_whole(module: object) -> None:
    """Apply the seams of a half-imported module when whoever imports it is through.

    Nothing calls us at that moment, so a thread looks; it must not import the module itself,
    because it would execute it a second time where the first import fails.
    """

    def wait() -> None:
        while is_half_imported(module):
            time.sleep(0.02)
        _awaited.discard(id(module))
        still_there = sys.modules.get(str(getattr(module, "__name__", ""))) is module
        _apply_to([module] if still_there else [], whole=True)

    if is_half_imported(module) and id(module) not in _awaited:
        _awaited.add(id(module))
        threading.Thread(target=wait, name="litellm_patch", daemon=True).start()


def _finish_start() -> list[SeamState]:
    """Judge what still waits. A module that LiteLLM loads when it needs it may wait on."""
    global _start_is_over
    waiting = [state for state in STATES.values() if state.state == WAITING]
    missing = [state for state in waiting if not _exists(state.seam.module)]
    with _lock:
        for state in missing:
            state.give_up()
    if not _start_is_over:
        _stop_if_strict()
    _start_is_over = True
    told = verdict(loaded_release(), list(STATES.values()))
    once(logging.INFO, f"litellm_patch {__version__}: {told}", kind="active")
    current()  # so that what is wrong with the options is said now, not at the first refusal
    return missing


def _tell(changed: list[SeamState]) -> None:
    for state in changed:
        if state.state == SKIPPED:
            name, why = state.name, state.reason
            once(logging.WARNING, f"seam {name} skipped, LiteLLM is unchanged there: {why}")
        elif state.state == FAILED:
            once(
                logging.WARNING,
                f"seam {state.name} failed, LiteLLM is unchanged: {state.reason}",
            )
    if changed and not _start_is_over:
        _stop_if_strict()


def _stop_if_strict() -> None:
    wrong = [state for state in STATES.values() if state.state in (SKIPPED, FAILED)]
    if wrong and mode() == STRICT:
        seams = "; ".join(f"seam {s.name} {s.state}: {s.reason}" for s in wrong)
        stop(f"litellm {loaded_release() or 'of unknown release'} is not as expected: {seams}")


def _is_whole(module: str) -> bool:
    return module in sys.modules and not is_half_imported(sys.modules[module])


def _exists(module: str) -> bool:
    try:
        return module in sys.modules or find_spec(module) is not None
    except (ImportError, AttributeError, ValueError):  # a parent is missing, or is no package
        return False


def _forget_the_lock() -> None:
    """In a forked child: a thread that held the lock does not exist there."""
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_the_lock)
