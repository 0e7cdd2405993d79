"""The wait that a provider asked for in its own 429.

LiteLLM documents that a bare ``Retry-After`` means that the gateway decided, and does not forward
the provider's. Operators can ask for that (``LITELLM_PATCH_FORWARD_PROVIDER``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .delay_seconds import parse_delay_seconds, parse_http_date, usable_seconds
from .exception_chain import SHORTEST, Refusal, related
from .headers import RETRY_AFTER, only_value


def find_provider_wait(
    error: BaseException | None, message: str | None, clock: float
) -> Refusal | None:
    """The wait that the provider behind `error` asked for with a valid ``Retry-After``.

    Args:
        error: the exception being handled.
        message: what the client is going to be told. An exception further down the chain
            counts only if this says so. None means that the whole chain counts.
        clock: `time.time()`.
    """
    if error is None:
        return None
    for found in related(error):
        text = str(getattr(found, "message", "") or found)
        said = message is None or found is error or text in message
        if getattr(found, "status_code", None) != 429 or not said:
            continue
        for headers in _headers(found):
            seconds = _seconds(headers, clock)
            if seconds is not None:
                return Refusal(seconds)
    return None


def _headers(error: BaseException) -> Iterator[Mapping[object, object]]:
    """The headers of the provider's answer, wherever LiteLLM's release keeps them."""
    response = getattr(error, "response", None)
    for headers in (
        getattr(error, "litellm_response_headers", None),
        getattr(response, "headers", None),
        getattr(error, "headers", None),
    ):
        if isinstance(headers, Mapping):
            yield headers


def _seconds(headers: Mapping[object, object], clock: float) -> float | None:
    """The seconds that a ``Retry-After`` tells or, if it is a date (RFC 9110 §10.2.3), until it."""
    value = only_value(headers, RETRY_AFTER)
    seconds = parse_delay_seconds(value)
    if seconds is not None:
        return float(seconds)
    until = parse_http_date(value)
    if until is None:
        return None
    answered = parse_http_date(only_value(headers, "date"))  # by the clock that wrote the other
    return usable_seconds(max(until - (clock if answered is None else answered), SHORTEST))
