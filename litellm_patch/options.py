"""What an operator may set in the environment. Read once per process; a bad value is ignored."""

from __future__ import annotations

import logging
import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from .log import once
from .switch import OFF_WORDS, ON_WORDS

PACING = "LITELLM_PATCH_PACING"
MAX_WAIT = "LITELLM_PATCH_MAX_WAIT"
WORKERS = "LITELLM_PATCH_WORKERS"
FORWARD_PROVIDER = "LITELLM_PATCH_FORWARD_PROVIDER"
_NAMES = (PACING, MAX_WAIT, WORKERS, FORWARD_PROVIDER)

_SERVERS = ("uvicorn", "gunicorn", "hypercorn")
"""Servers that can run LiteLLM's app by their own commands, with their own options."""

_OF_SERVERS = ("--workers", "-w"), ("WEB_CONCURRENCY",)
_OF_LITELLM = ("--num_workers",), ("NUM_WORKERS", "DEFAULT_NUM_WORKERS_LITELLM_PROXY")
"""Arguments and variables for the number of worker processes; the first that is set counts."""

_MOST_WORKERS = 10_000


@dataclass(frozen=True)
class Options:
    """The options as they apply.

    Attributes:
        pacing: whether refused clients get places in a queue.
        rate: clients per second for all workers together; None means to learn it.
        max_wait: seconds; infinite means that every wait is told as it is, None that each client
            is told what it is known to act on.
        workers: at least 1.
        forward_provider: whether a provider's own 429 forwards its ``Retry-After``.
        problems: one sentence for each value or name that was ignored.
    """

    pacing: bool = True
    rate: float | None = None
    max_wait: float | None = None
    workers: int = 1
    forward_provider: bool = False
    problems: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def current() -> Options:
    """The options of this process. The first call warns about each value that is ignored."""
    options = read(os.environ, getattr(sys, "argv", ()))  # an embedded Python may have none
    for problem in options.problems:
        once(logging.WARNING, problem)
    return options


def read(environ: Mapping[str, str], arguments: Sequence[str] = ()) -> Options:
    """The options in `environ`.

    Args:
        arguments: of the process; LiteLLM's workers have those of the proxy's command.
    """
    misspelt = sorted(
        name for name in environ if name.startswith("LITELLM_PATCH_") and name not in _NAMES
    )
    problems = [f"{name[:60]} is no option of litellm_patch" for name in misspelt[:10]]
    pacing, rate = _pacing(environ.get(PACING, ""), problems)
    return Options(
        pacing=pacing,
        rate=rate,
        max_wait=_max_wait(environ.get(MAX_WAIT, ""), problems),
        workers=_workers(environ, arguments, problems),
        forward_provider=_forward_provider(environ.get(FORWARD_PROVIDER, ""), problems),
        problems=tuple(problems),
    )


def _pacing(text: str, problems: list[str]) -> tuple[bool, float | None]:
    text = text.strip().lower()
    if text in ("", "auto"):
        return True, None
    if text in OFF_WORDS:
        return False, None
    rate = _positive(text)
    if rate is None:
        problems.append(f"{PACING} is not auto, off or a rate above 0: auto is used")
    return True, rate


def _max_wait(text: str, problems: list[str]) -> float | None:
    text = text.strip().lower()
    if text == "none":
        return math.inf
    seconds = _positive(text)
    if seconds is None and text:
        problems.append(f"{MAX_WAIT} is not none or a number of seconds above 0: it is ignored")
    return seconds


def _workers(environ: Mapping[str, str], arguments: Sequence[str], problems: list[str]) -> int:
    text = environ.get(WORKERS, "").strip()
    number = _count(text)
    if number is not None:
        return number
    if text:
        problems.append(f"{WORKERS} is not a whole number above 0: it is ignored")
    named, variables = _OF_SERVERS if _program(arguments) in _SERVERS else _OF_LITELLM
    said = [_argument(name, arguments) for name in named]
    said += [environ.get(name, "") for name in variables]
    return next(filter(None, map(_count, said)), 1)


def _program(arguments: Sequence[str]) -> str:
    """The name of the process' program, even if it was started by ``python -m``."""
    path = os.path.splitext(arguments[0])[0] if arguments else ""
    folder, name = os.path.split(path)
    return os.path.basename(folder) if name == "__main__" else name


def _forward_provider(text: str, problems: list[str]) -> bool:
    text = text.strip().lower()
    if text and text not in ON_WORDS + OFF_WORDS:
        problems.append(f"{FORWARD_PROVIDER} is not on or off: off is used")
    return text in ON_WORDS


def _argument(name: str, arguments: Sequence[str]) -> str:
    """The value of ``name value`` or ``name=value``, or ""."""
    for argument, following in zip(arguments, [*arguments[1:], ""]):
        name_of_it, _, value = argument.partition("=")
        if name_of_it == name:
            return value or following
    return ""


def _positive(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None


def _count(text: str) -> int | None:
    text = text.strip()
    is_number = text.isascii() and text.isdigit() and len(text) <= 6
    return int(text) if is_number and 1 <= int(text) <= _MOST_WORKERS else None
