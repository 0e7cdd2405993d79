"""Say each thing once, where an operator will see it, and never fail the host by saying it.

Our lines go to the host's handlers and look like the host's lines; no handler of ours is installed.
What the lines of activation say is in `activation.messages`.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys

LOGGER = logging.getLogger("litellm_patch")

_said: dict[str, object] = {}
_SAID_AT_MOST = 200  # bounds memory if messages ever vary without end
_held: list[logging.LogRecord] | None = None

_HOSTS_LOGGER = "LiteLLM Proxy"


def once(level: int, message: str, kind: str | None = None) -> None:
    """Log `message` unless it, or another of its `kind`, was logged before in this process.

    Args:
        level: a `logging` level, for example ``logging.WARNING``.
        message: the finished text; it must not contain request data.
        kind: messages of one kind count as the same, where the text may vary.
    """
    if len(_said) >= _SAID_AT_MOST:
        return
    mine = object()
    if _said.setdefault(kind or message, mine) is not mine:  # atomic: threads may race here
        return
    say(level, message)


def say(level: int, message: str) -> None:
    """Log `message`, as often as it is called."""
    try:
        record, held = _record(level, message), _held
        if held is None:
            _deliver(record)
        else:
            held.append(record)
    except Exception:  # a broken logging set-up is the host's own
        pass


def failed(what: str, error: BaseException) -> None:
    """Say once that `what` failed while a request was handled. Never raises.

    The text of `error` is left out, since it may contain request data.
    """
    try:
        once(logging.WARNING, f"{what}: {place_of(error)}", kind=f"{what}: {type(error)}")
    except Exception:  # a host that is out of memory or stack must not hear of it from us
        pass


def place_of(error: BaseException) -> str:
    """The class of an error, and the line that raised it."""
    trace = error.__traceback__
    if trace is None:
        return type(error).__name__
    while trace.tb_next is not None:
        trace = trace.tb_next
    file = trace.tb_frame.f_code.co_filename.replace("\\", "/").rpartition("/")[2]
    return f"{type(error).__name__} in {file}:{trace.tb_lineno}"


def hold() -> None:
    """Keep lines until `release`. Warnings are released at the latest when the process ends.

    The line that the patch is on is not: a parent of worker processes never serves.
    """
    global _held
    if _held is None:
        _held = []
        atexit.register(release, logging.WARNING)


def release(level: int = logging.NOTSET) -> None:
    """Say the lines kept that are of at least `level`, and keep no more. Never raises."""
    global _held
    records, _held = _held or [], None
    for record in records:
        try:
            if record.levelno >= level:
                _deliver(record)
        except Exception:  # as in `once`
            pass


def _record(level: int, message: str) -> logging.LogRecord:
    file, line, function, _ = LOGGER.findCaller(stacklevel=3)
    return LOGGER.makeRecord(LOGGER.name, level, file, line, message, (), None, function)


def _deliver(record: logging.LogRecord) -> None:
    """Give a record to the host's handlers.

    `Logger.disabled` is ignored: `logging.config` sets it on every logger that a configuration
    does not name.
    """
    if not _is_wanted(record.levelno) or not LOGGER.filter(record):
        return
    host = logging.Logger.manager.loggerDict.get(_HOSTS_LOGGER)
    if LOGGER.hasHandlers():
        LOGGER.callHandlers(record)
    elif isinstance(host, logging.Logger) and host.hasHandlers():
        host.callHandlers(record)
    elif sys.stderr is not None:
        last = logging.StreamHandler()
        last.setFormatter(logging.Formatter("%(levelname)s:     %(message)s"))
        last.handle(record)


def _is_wanted(level: int) -> bool:
    """Whether the operator lets lines of `level` through.

    The root logger's WARNING is its default, so then ``LITELLM_LOG`` decides. The default of that
    is INFO, because operators look for the line that says that the patch is on.
    """
    if LOGGER.manager.disable >= level:
        return False
    if LOGGER.level != logging.NOTSET:
        return level >= LOGGER.level
    if LOGGER.root.level != logging.WARNING:
        return level >= LOGGER.root.level
    named = logging.getLevelName(os.environ.get("LITELLM_LOG", "").strip().upper())
    return level >= (named if isinstance(named, int) else logging.INFO)
