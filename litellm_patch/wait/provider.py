"""The wait that a provider asked for in its own 429.

LiteLLM documents that a bare ``Retry-After`` means that the gateway decided, and keeps the
provider's to itself. Operators who want it forwarded say so (`forwarding`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .delay_seconds import parse_delay_seconds
from .exception_chain import Refusal, related
from .headers import retry_after_values


def find_provider_wait(error: BaseException | None, message: str | None) -> Refusal | None:
    """What the provider behind `error` asked for, where it is a valid number of seconds.

    Args:
        error: the exception being handled.
        message: what the client is going to be told. An exception further down the chain
            counts only if this says so. None means that the whole chain counts.
    """
    if error is None:
        return None
    for found in related(error):
        text = str(getattr(found, "message", "") or found)
        said = message is None or found is error or text in message
        if getattr(found, "status_code", None) != 429 or not said:
            continue
        for headers in _headers(found):
            seconds = parse_delay_seconds(_retry_after(headers))
            if seconds is not None:
                return Refusal(float(seconds))
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


def _retry_after(headers: Mapping[object, object]) -> object:
    values = retry_after_values(headers)
    return values[0] if len(values) == 1 else None
