"""Say each thing once, where an operator will see it, and never fail the host by saying it."""

from __future__ import annotations

import logging
import sys

LOGGER = logging.getLogger("litellm_patch")

_said: set[str] = set()
_SAID_AT_MOST = 200  # bounds memory if messages ever vary without end


def once(level: int, message: str) -> None:
    """Log `message` unless it was logged before in this process.

    Args:
        level: a `logging` level, for example ``logging.WARNING``.
        message: the finished text; it must not contain request data.
    """
    if message in _said or len(_said) >= _SAID_AT_MOST:
        return
    _said.add(message)
    try:
        _make_visible()
        LOGGER.log(level, "%s", message)
    except Exception:  # a broken logging set-up is the host's, and not ours to trip over
        pass


def _make_visible() -> None:
    """Give the logger a stderr handler where nobody configured logging.

    Python drops INFO lines when no handler is set, and the line that says that the shim is
    on is the proof that operators look for.
    """
    if LOGGER.hasHandlers() or sys.stderr is None:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s:     %(message)s"))
    LOGGER.addHandler(handler)
    if LOGGER.level == logging.NOTSET:
        LOGGER.setLevel(logging.INFO)
