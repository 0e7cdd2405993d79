"""Between a refusal and its header: the place in the queue, and what the operator limits."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import lru_cache

from ..options import current
from ..report import once
from ..wait.delay_seconds import usable_seconds
from ..wait.exception_chain import READY_AT, Refusal, is_cooldown_refusal, related
from ..wait.pacing import KnownRate, Pacer
from .group_rate import known_rate

PLACE = "litellm_patch_place"
"""Attribute on a refusal: the `time.monotonic()` at which its client should return. An
exception that is made into an answer more than once keeps its one place."""

_ROUNDING = 0.001  # seconds


def paced(refusal: Refusal, handled: BaseException | None, now: float) -> Refusal:
    """`refusal` with the seconds that its client is to be told.

    A refusal whose end is not known (`READY_AT`) has no place in any queue and is told as it is.

    Args:
        handled: the exception that `refusal` was read from.
        now: `time.monotonic()`.
    """
    if refusal.seconds is None:
        return refusal
    pacer, max_wait = _pacer(), current().max_wait
    seconds = refusal.seconds
    if pacer is not None:
        seconds = max(seconds, _place(pacer, handled, now, now + seconds) - now)
    if max_wait is not None:
        seconds = min(seconds, max_wait)
    return replace(refusal, seconds=seconds)


def _place(pacer: Pacer, handled: BaseException | None, now: float, told: float) -> float:
    """The moment at which the client of the first group that will be ready should return.

    A limit that ends before the cooldown, at `told`, has no queue.
    """
    first = min(
        (found for found in related(handled) if _known_end(found)) if handled is not None else (),
        key=lambda found: float(getattr(found, READY_AT)),
        default=None,
    )
    if first is None or getattr(first, READY_AT) > told + _ROUNDING:
        return now
    place = getattr(first, PLACE, None)
    if not isinstance(place, float):
        group = str(getattr(first, "model", ""))
        cooldown = usable_seconds(getattr(first, "cooldown_time", None))
        place = pacer.place(group, now, getattr(first, READY_AT), _known(group), cooldown)
        setattr(first, PLACE, place)
    return place


def _known_end(error: BaseException) -> bool:
    return is_cooldown_refusal(error) and isinstance(getattr(error, READY_AT, None), float)


def _known(group: str) -> KnownRate:
    try:
        return known_rate(group)
    except Exception as error:  # LiteLLM's router changed: the queue learns without it
        once(logging.DEBUG, f"the router's rates cannot be read: {type(error).__name__}: {error}")
        return KnownRate()


@lru_cache(maxsize=1)
def _pacer() -> Pacer | None:
    """The one pacer of this process."""
    options = current()
    return Pacer(options.rate, options.workers) if options.pacing else None
