"""Apply the seams of a module of LiteLLM once that module has been executed.

wrapt's post-import hooks tell us when. wrapt lets an exception of a hook fail the host's import,
so nothing here raises.

Nothing is imported and nothing is logged while the lock is held: an import waits for the
locks of modules, whose holders may be waiting for ours.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from importlib.util import find_spec

import wrapt

from ..log import once
from ..options import current
from ..seams.table import SEAMS
from ..switch import STRICT, mode, stop, switched_off, text_of
from ..wait.forks import Lock
from .messages import say_that_it_is_on, stop_if_strict, warn
from .seam_state import WAITING, SeamState

PROXY = "litellm.proxy.proxy_server"
"""Once this is loaded, LiteLLM has loaded what it serves requests with: the start is over."""

STATES: dict[str, SeamState] = {seam.name: SeamState(seam) for seam in SEAMS}
MODULES = {PROXY, *(seam.module for seam in SEAMS)}
_lock = Lock(threading.RLock)
_paused = False
_start_is_over = False
_executed: set[str] = set()
"""Modules whose hook was called: finished executing, though still marked as initializing."""


def on_import(module: object) -> None:
    """The entry point for ``wrapt.discover_post_import_hooks("litellm_patch")`` and autowrapt.

    Loading it imports the package, which is the activation; so our own hooks do the rest.
    """
    apply_all()


def on_loaded(name: str) -> None:
    """The module `name` has been executed to its end."""
    _executed.add(name)
    apply_all()


def register() -> None:
    """Hear of the imports to come. The proxy is last, as the start is judged when it is loaded."""
    for name in sorted(MODULES, key=lambda name: (name == PROXY, name)):
        _register(name)


def pause() -> list[str]:
    """Take all seams off and let none on, or change nothing. Returns what is in the way, and why.

    All are asked before the first is taken off: a seam that was put on again would be outside
    wrappers that others had put around it.
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
    """Let seams on again, and apply those whose modules have been executed.

    No hook tells the end of an import that began before `register`, so a thread watches that.
    """
    global _paused
    with _lock:
        _paused = False
        begun = [name for name in MODULES if _is_half_imported(name)]
    apply_all()
    running = {thread.name for thread in threading.enumerate()}
    for name in begun:
        watch = f"litellm_patch {name}"
        if watch not in running:
            threading.Thread(target=_watch, args=(name,), name=watch, daemon=True).start()


def apply_all() -> None:
    """Apply each waiting seam whose module has been executed. Never raises.

    The start is over when the proxy has been executed and no seam waits for a half-imported module.
    """
    global _start_is_over
    try:
        if switched_off():
            return
        with _lock:
            if _paused:
                return
            loaded = {name: sys.modules[name] for name in MODULES if name in sys.modules}
            half = {name for name in loaded if _is_half_imported(name)}
            for_them = [state for state in STATES.values() if state.seam.module in loaded]
            late = [s for s in for_them if s.seam.module in half and s.state == WAITING]
            changed = [
                state
                for state in for_them
                if state.seam.module not in half and state.apply(loaded[state.seam.module])
            ]
        proxy_is_there = PROXY in loaded and PROXY not in half and not late
        if proxy_is_there:
            changed += _give_up()
        warn(changed)
        if not _start_is_over:
            stop_if_strict(STATES.values())
        if proxy_is_there:
            _start_is_over = True
            say_that_it_is_on(STATES.values())
            current()  # tells what is wrong with the options now, not at the first refusal
    except Exception as error:
        once(logging.WARNING, f"LiteLLM is unchanged where it was to be patched: {text_of(error)}")
        if mode() == STRICT:
            stop(text_of(error))


def _give_up() -> list[SeamState]:
    """The seams whose modules do not exist. Others may wait until LiteLLM needs their modules."""
    waiting = [state for state in STATES.values() if state.state == WAITING]
    missing = [state for state in waiting if not _exists(state.seam.module)]
    with _lock:
        for state in missing:
            state.give_up()
    return missing


def _register(name: str) -> None:
    registered = False

    def hook(module: object) -> None:
        # wrapt calls it at once for a module that is there, also if that is half-imported.
        if registered:
            on_loaded(name)

    wrapt.register_post_import_hook(hook, name)
    registered = True


def _watch(name: str) -> None:
    """Wait until another thread, or an outer frame, has imported the module.

    Importing it here would execute it a second time if the first import fails. wrapt keeps no hook
    for a module that was there; the host may import that again.
    """
    while _is_half_imported(name):
        time.sleep(0.02)
    if name not in sys.modules:
        _register(name)
    apply_all()


def _is_half_imported(name: str) -> bool:
    spec = getattr(sys.modules.get(name), "__spec__", None)
    return name not in _executed and bool(getattr(spec, "_initializing", False))


def _exists(module: str) -> bool:
    try:
        return module in sys.modules or find_spec(module) is not None
    except (ImportError, AttributeError, ValueError):  # a parent is missing, or is no package
        return False
