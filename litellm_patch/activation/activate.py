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
"""uvicorn loads this when it starts, which is the last thing that LiteLLM's command does."""


def activate() -> None:
    """Apply every seam whose module is loaded, and the others once theirs are imported.

    Idempotent and thread-safe. Does nothing while ``LITELLM_PATCH=off``.
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
        # Threads that come at once all register: a thread that returned while another one is
        # still registering might import LiteLLM unheard. A second hook finds nothing to do.
        hooks.register()
        _registered = True
    hooks.resume()


def deactivate() -> None:
    """Give LiteLLM back everything that was wrapped, and wrap nothing until `activate`.

    Restores the originals, even beneath wrapt wrappers that others added later. Idempotent and
    thread-safe.

    Raises:
        RuntimeError: a later wrapper that is not wrapt's is in the way. The text names the
            seams, and the patch stays on as a whole.
    """
    stuck = hooks.pause()
    if stuck:
        raise RuntimeError(f"the patch stays on, it cannot be taken off: {', '.join(stuck)}")
    disarm()


def _may_turn_to_json() -> bool:
    """Whether LiteLLM's own command is about to read a file that may say ``json_logs: true``.

    The command loads the proxy before it reads that file, and logs only after that.
    """
    arguments = getattr(sys, "argv", None) or [""]
    return (
        _BEGIN_OF_SERVING not in sys.modules
        and os.path.splitext(os.path.basename(arguments[0]))[0] in ("litellm", "proxy_cli")
        and any(word.startswith(("--config", "-c")) for word in arguments)
        # Servers other than uvicorn do not load its module.
        and not any(word.startswith("--run_") for word in arguments)
    )
