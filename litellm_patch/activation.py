"""Turn the patch on and off in this process."""

from __future__ import annotations

import threading

import wrapt

from . import hooks
from .trigger import switched_off

_lock = threading.Lock()
_registered = False


def activate() -> None:
    """Apply every seam whose module is loaded, and the others as soon as they are imported.

    Idempotent and thread-safe. Does nothing while ``LITELLM_PATCH=off``.
    """
    global _registered
    if switched_off():
        return
    with _lock:
        first, _registered = not _registered, True
    if first:
        for module in sorted({state.seam.module for state in hooks.STATES.values()}):
            wrapt.register_post_import_hook(hooks.on_import, module)
    hooks.resume()


def deactivate() -> None:
    """Give LiteLLM back everything that was wrapped, and wrap nothing until `activate`.

    Idempotent and thread-safe.

    Raises:
        RuntimeError: somebody else wrapped the same place after us, so that ours cannot be
            taken out from under theirs; the text names the seams. They go on working.
    """
    stuck = hooks.pause()
    if stuck:
        raise RuntimeError(f"cannot be taken off, something else wrapped them: {', '.join(stuck)}")
