"""Turn the patch on and off in this process."""

from __future__ import annotations

import logging
import os
import sys

import wrapt

from ..log import hold, once, release
from ..switch import is_known, said, switched_off
from ..trigger import TARGET, disarm
from . import hooks

_registered = False

_BEGIN_OF_SERVING = "uvicorn.lifespan.on"
"""uvicorn loads it when it is started, which LiteLLM's command does at its end."""


def activate() -> None:
    """Apply every seam whose module is loaded, and the others as soon as they are imported.

    A module that was loaded anew since (`importlib.reload`) is patched again. Idempotent and
    thread-safe. Does nothing while ``LITELLM_PATCH=off``.
    """
    global _registered
    if not is_known():
        once(
            logging.WARNING, f"LITELLM_PATCH={said()[:40]!r} is not on, off or strict: it means on"
        )
    if switched_off():
        return
    if TARGET in sys.modules:
        disarm()
    if not _registered:
        if _may_turn_to_json():
            hold()
            wrapt.register_post_import_hook(lambda module: release(), _BEGIN_OF_SERVING)
        # Threads that come at once all register: whoever returned while another one is still at
        # it might import LiteLLM unheard. A hook that is called twice does its work once.
        # The proxy comes last, because the start is judged when it is there.
        for module in sorted(hooks.MODULES, key=lambda name: (name == hooks.PROXY, name)):
            _register(module)
        _registered = True
    hooks.resume()


def deactivate() -> None:
    """Give LiteLLM back everything that was wrapped, and wrap nothing until `activate`.

    Where somebody else wrapped the same place after us with wrapt, ours is taken out from
    under theirs. Idempotent and thread-safe.

    Raises:
        RuntimeError: ours cannot be taken out from under theirs. The text names the seams,
            and the patch stays on as a whole.
    """
    stuck = hooks.pause()
    if stuck:
        raise RuntimeError(f"the patch stays on, it cannot be taken off: {', '.join(stuck)}")
    disarm()


def _may_turn_to_json() -> bool:
    """Whether LiteLLM's own command is about to read a file that may say ``json_logs: true``.

    It loads the proxy before it reads that file, and its own lines come after that.
    """
    arguments = getattr(sys, "argv", None) or [""]
    return (
        _BEGIN_OF_SERVING not in sys.modules
        and os.path.splitext(os.path.basename(arguments[0]))[0] in ("litellm", "proxy_cli")
        and any(word.startswith(("--config", "-c")) for word in arguments)
        # Other servers than uvicorn do not load its module.
        and not any(word.startswith("--run_") for word in arguments)
    )


def _register(name: str) -> None:
    """Hear of the import of a module.

    wrapt also calls a hook at once, while it is registered, for a module that another thread
    or an outer frame is still executing. Only a later call means that the module is whole.
    """
    registered = False

    def hook(module: object) -> None:
        (hooks.on_loaded if registered else hooks.on_import)(module)

    wrapt.register_post_import_hook(hook, name)
    registered = True
