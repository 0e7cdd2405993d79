"""LiteLLM's own refusal behind an error, by a cooldown or by a limit, and how long it lasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from . import marks
from .delay_seconds import usable_seconds
from .exception_chain import (
    SHORTEST,
    Refusal,
    find_refusal,
    first_of,
    native_values,
    refusals_of_fallbacks,
    related,
    until_ready,
)
from .headers import RETRY_AFTER, only_value
from .litellm_errors import (
    is_budget,
    is_dynamic_limit,
    is_limiters_429,
    is_own_limit,
    is_pinned_refusal,
    text_of,
)

MINUTE = 60.0
"""Seconds. LiteLLM counts the requests and tokens of a deployment under a key that ends with
the minute of the clock (``%H-%M``, UTC), so its windows end where minutes do."""

WINDOW_END = "litellm_patch_window_end"
"""Mark on the refusal by a limiter or a budget: `time.time()` at which its window ends."""


def find_own_refusal(
    error: BaseException | None, message: str | None, now: float, clock: float
) -> Refusal | None:
    """LiteLLM's refusal behind `error`, or None where LiteLLM did not refuse.

    Where the groups of a request were refused for different reasons, the first that can serve
    decides. Below a cooldown a limit counts only if it is `error` itself or the refusal of a
    fallback: another one may be what brought the very group into its cooldown.

    Args:
        error: the exception being handled.
        message: what the client is going to be told. A refusal further down the chain counts
            only if this says so. None means that the whole chain counts.
        now: `time.monotonic()`.
        clock: `time.time()`.
    """
    if error is None:
        return None
    cooling = find_refusal(error, message, now)
    limit = _limit(error, now, clock) if cooling else _first_limit(error, message, now, clock)
    if not (cooling or limit):
        return None
    fallbacks = [each for one in related(error) for each in refusals_of_fallbacks(one)]
    every = [cooling, limit, *(_limit(each, now, clock) for each in fallbacks)]
    first = first_of([each for each in every if each is not None])
    # LiteLLM's own header is made from the cooldown, where there is one.
    return replace(first, native=cooling.native) if cooling else first


def _first_limit(
    error: BaseException, message: str | None, now: float, clock: float
) -> Refusal | None:
    for found in related(error):
        if message is None or found is error or text_of(found) in message:
            refusal = _limit(found, now, clock)
            if refusal is not None:
                return refusal
    return None


def _limit(error: BaseException, now: float, clock: float) -> Refusal | None:
    """The limit that `error` is; told is the cooldown of another deployment if that ends first."""
    ready = until_ready(error, now)
    if ready is not None and is_pinned_refusal(error):
        return ready
    limit = _limit_alone(error, clock)
    if limit is None or ready is None:
        return limit
    return replace(first_of([limit, ready]), native=limit.native)


def _limit_alone(error: BaseException, clock: float) -> Refusal | None:
    ends_at = marks.get(error, WINDOW_END)
    left = ends_at - clock if isinstance(ends_at, float) else None
    if is_budget(error):
        seconds = None if left is None else usable_seconds(max(left, SHORTEST))
        return None if seconds is None else Refusal(seconds)
    if is_own_limit(error):
        told = _told(getattr(getattr(error, "response", None), "headers", None))
        if told is None or told == MINUTE:  # LiteLLM's flat minute
            return Refusal(_to_next_minute(clock), native=native_values(MINUTE))
        return Refusal(told, native=native_values(told))  # a daily limit
    if is_limiters_429(error):
        told = _told(getattr(error, "headers", None))
        if told is not None and left is not None and left > 0:
            return Refusal(left, native=native_values(told))
        if told is None and is_dynamic_limit(error):
            told = _to_next_minute(clock)
        return None if told is None else Refusal(told)
    return None


def _to_next_minute(clock: float) -> float:
    """Seconds to the end of the clock's minute, more than 0."""
    return MINUTE - clock % MINUTE


def _told(headers: object) -> float | None:
    """The only ``Retry-After`` in `headers`, in seconds; LiteLLM writes fractions, too."""
    if not isinstance(headers, Mapping):
        return None
    try:
        return usable_seconds(float(only_value(headers, RETRY_AFTER)))
    except (TypeError, ValueError):
        return None
