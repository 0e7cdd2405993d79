"""How long a client must wait for one of LiteLLM's own limits, other than a cooldown.

Like `exception_chain`, this recognises LiteLLM's exceptions by their names. What a provider
refused is none of them: an exception counts only if LiteLLM made it without asking one.
"""

from __future__ import annotations

import math
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace

from . import marks
from .delay_seconds import usable_seconds
from .exception_chain import (
    NO_DEPLOYMENTS,
    Refusal,
    find_refusal,
    first_of,
    is_cooldown_refusal,
    is_named,
    native_values,
    refusals_of_fallbacks,
    related,
    until_ready,
)
from .headers import retry_after_values

MINUTE = 60.0
"""Seconds. LiteLLM counts the requests and tokens of a deployment under a key that ends with
the minute of the clock (``%H-%M``, UTC), so its windows end where minutes do."""

WINDOW_END = "litellm_patch_window_end"
"""Mark on a limiter's refusal: `time.time()` at which it begins to count anew."""

_OWN_TEXTS = ("Deployment over defined ", "Model rate limit exceeded.", NO_DEPLOYMENTS)
"""What LiteLLM writes into a `RateLimitError` of its own, by the router's usage-based
strategies and its checks before a call."""

_PINNED = "The deployment that produced this encrypted_content is "
"""How LiteLLM's refusal begins if the deployment that a follow-up is bound to is cooling: a 429, or
a 503 where another failure than a 429 brought it into its cooldown."""

_PINNED_CLASSES = ("RateLimitError", "ServiceUnavailableError")

_DYNAMIC = (" over available TPM=", " over available RPM=")
"""What LiteLLM's first dynamic rate limiter writes. It shares out what the router has counted in
the minute of the clock, and tells no time at all."""

CROSSED_BUDGET = "No deployments available - crossed budget"
"""How LiteLLM's refusal by a budget of a provider, a deployment or a tag begins."""

_SYNCHRONOUS = re.compile(
    re.escape(NO_DEPLOYMENTS) + r" for selected model\. Passed model=.*\. Deployments=\{", re.DOTALL
)
"""What the synchronous twin of a usage-based strategy writes into a bare `ValueError`."""

_budget_ends: OrderedDict[str, float] = OrderedDict()
_BUDGETS_AT_MOST = 200


def remember_budget(told: str, ends_at: float) -> None:
    """Remember until when (`time.time()`) the refusal that says `told` holds."""
    _budget_ends[told] = ends_at
    _budget_ends.move_to_end(told)
    while len(_budget_ends) > _BUDGETS_AT_MOST:
        _budget_ends.popitem(last=False)


def find_own_refusal(
    error: BaseException | None, message: str | None, now: float, clock: float
) -> Refusal | None:
    """LiteLLM's refusal behind `error`, by a cooldown or by a limit, or None.

    Where the groups of a request were refused for different reasons, the first that can serve
    decides. Below a cooldown a limit counts only if it is `error` itself or the refusal of a
    fallback: another one may be what brought the very group into its cooldown.

    Args:
        error, message, now, clock: as for `find_limit`.
    """
    if error is None:
        return None
    cooling = find_refusal(error, message, now)
    limit = _limit(error, now, clock) if cooling else find_limit(error, message, now, clock)
    if not (cooling or limit):
        return None
    fallbacks = [each for one in related(error) for each in refusals_of_fallbacks(one)]
    every = [cooling, limit, *(_limit(each, now, clock) for each in fallbacks)]
    first = first_of([each for each in every if each is not None])
    # LiteLLM's own header is made from the cooldown, where there is one.
    return replace(first, native=cooling.native) if cooling else first


def find_limit(
    error: BaseException | None, message: str | None, now: float, clock: float
) -> Refusal | None:
    """The refusal by a limit of LiteLLM's behind `error`, or None where there is none.

    Args:
        error: the exception being handled.
        message: what the client is going to be told. A limit further down the chain counts
            only if this says so. None means that the whole chain counts.
        now: `time.monotonic()`.
        clock: `time.time()`.
    """
    if error is None:
        return None
    for found in related(error):
        if message is None or found is error or _text(found) in message:
            refusal = _limit(found, now, clock)
            if refusal is not None:
                return refusal
    return None


def is_own_limit(error: BaseException) -> bool:
    """Whether `error` is a limit or a budget of the router's, decided without asking a provider."""
    if is_named(error, "litellm.types.router", "RouterRateLimitErrorBasic"):
        return True
    return _is_budget(error) or _is_synchronous(error) or _is_own_rate_limit(error)


def is_pinned_refusal(error: BaseException) -> bool:
    """Whether the only deployment that may serve the request is cooling down."""
    return (
        getattr(error, "llm_provider", None) == ""
        and getattr(error, "status_code", None) in (429, 503)
        and _PINNED in _text(error)
        and any(is_named(error, "litellm.exceptions", each) for each in _PINNED_CLASSES)
    )


def is_own_refusal(error: BaseException) -> bool:
    """Whether LiteLLM's router decided `error`, without asking a provider."""
    return is_cooldown_refusal(error) or is_own_limit(error) or is_pinned_refusal(error)


def seconds_to_next_minute(clock: float) -> float:
    """Seconds from `clock` (`time.time()`) to the end of its minute, more than 0."""
    return MINUTE - clock % MINUTE


def _is_budget(error: BaseException) -> bool:
    return isinstance(error, ValueError) and CROSSED_BUDGET in str(error)


def _is_synchronous(error: BaseException) -> bool:
    return type(error) is ValueError and _SYNCHRONOUS.match(str(error)) is not None


def _is_own_rate_limit(error: BaseException) -> bool:
    return (
        is_named(error, "litellm.exceptions", "RateLimitError")
        and getattr(error, "llm_provider", None) == ""
        and any(text in _text(error) for text in _OWN_TEXTS)
    )


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
    if _is_budget(error):
        return _budget(str(error), clock)
    if is_own_limit(error):
        told = _told(getattr(getattr(error, "response", None), "headers", None))
        if told is None or told == MINUTE:  # LiteLLM's flat minute
            return Refusal(seconds_to_next_minute(clock), native=native_values(MINUTE))
        return Refusal(told, native=native_values(told))  # a daily limit
    if is_limiters_429(error):
        told = _told(getattr(error, "headers", None))
        ends_at = marks.get(error, WINDOW_END)
        if told is not None and isinstance(ends_at, float) and ends_at > clock:
            return Refusal(ends_at - clock, native=native_values(told))
        if told is None and any(text in str(error) for text in _DYNAMIC):
            told = seconds_to_next_minute(clock)
        return None if told is None else Refusal(told)
    return None


def _budget(text: str, clock: float) -> Refusal | None:
    ends = [end for told, end in list(_budget_ends.items()) if told and told in text]
    seconds = usable_seconds(max(ends[-1] - clock, 0.001)) if ends else None
    return None if seconds is None else Refusal(seconds)


def is_limiters_429(error: BaseException) -> bool:
    """FastAPI's exception, by which LiteLLM's hooks refuse a key, user, team or model."""
    return is_named(error, "starlette.exceptions", "HTTPException") and (
        getattr(error, "status_code", None) == 429
    )


def _told(headers: object) -> float | None:
    """The only ``Retry-After`` in `headers`, in seconds; LiteLLM writes fractions, too."""
    if not isinstance(headers, Mapping):
        return None
    values = retry_after_values(headers)
    try:
        seconds = float(values[0]) if len(values) == 1 else math.nan
    except (TypeError, ValueError):
        return None
    return usable_seconds(seconds)


def _text(error: BaseException) -> str:
    for name in ("message", "detail"):
        text = getattr(error, name, None)
        if isinstance(text, str) and text:
            return text
    return str(error) or repr(error)
