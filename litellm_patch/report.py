"""Say each thing once, where an operator will see it, and never fail the host by saying it."""

from __future__ import annotations

import logging
import sys

LOGGER = logging.getLogger("litellm_patch")

_said: dict[str, object] = {}
_SAID_AT_MOST = 200  # bounds memory if messages ever vary without end


def once(level: int, message: str, kind: str | None = None) -> None:
    """Log `message` unless it, or another of its `kind`, was logged before in this process.

    Args:
        level: a `logging` level, for example ``logging.WARNING``.
        message: the finished text; it must not contain request data.
        kind: what counts as the same thing, where the text may vary.
    """
    if len(_said) >= _SAID_AT_MOST:
        return
    mine = object()
    if _said.setdefault(kind or message, mine) is not mine:  # atomic: threads may race here
        return
    try:
        _make_visible()
        LOGGER.log(level, "%s", message)
    except Exception:  # a broken logging set-up is the host's, and not ours to trip over
        pass


def failed(what: str, error: BaseException) -> None:
    """Say once that `what` failed while a request was handled. Never raises.

    The text of `error` is left out, since it may contain request data.
    """
    try:
        once(logging.WARNING, f"{what}: {_place_of(error)}", kind=f"{what}: {type(error)}")
    except Exception:  # a host that is out of memory or stack must not hear of it from us
        pass


def text_of(error: BaseException) -> str:
    """The class and the text of an error of start-up; its text may itself be broken."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:
        return type(error).__name__


def _place_of(error: BaseException) -> str:
    """The class of an error, and the line that raised it."""
    trace = error.__traceback__
    if trace is None:
        return type(error).__name__
    while trace.tb_next is not None:
        trace = trace.tb_next
    file = trace.tb_frame.f_code.co_filename.replace("\\", "/").rpartition("/")[2]
    return f"{type(error).__name__} in {file}:{trace.tb_lineno}"


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
