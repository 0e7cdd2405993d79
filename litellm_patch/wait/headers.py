"""Put ``Retry-After`` and ``retry-after-ms`` into the headers of an error answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .delay_seconds import delay_milliseconds, delay_seconds, parse_delay_seconds
from .exception_chain import Refusal
from .patience import HOPELESS

RETRY_AFTER = "retry-after"
RETRY_AFTER_MS = "retry-after-ms"
SHOULD_RETRY = "x-should-retry"
"""``false`` stops the retries of the OpenAI and Anthropic SDKs and of Claude Code."""

WAIT_HEADERS = (RETRY_AFTER, RETRY_AFTER_MS, SHOULD_RETRY)
"""All that a refusal may carry."""


def only_value(headers: Mapping[Any, Any], name: str) -> Any:
    """The value of a header, however it is capitalised; None if it is absent or not the only one.

    Args:
        name: in small letters.
    """
    values = [value for key, value in headers.items() if str(key).lower() == name]
    return values[0] if len(values) == 1 else None


def with_retry_after(headers: Mapping[str, str], refusal: Refusal) -> dict[str, str]:
    """A copy of `headers` with exactly one valid ``Retry-After`` for `refusal`, or none.

    Beside a value of ours ``retry-after-ms`` tells the same wait in milliseconds.

    A valid value that is already there stays: somebody decided it, and may know more. The
    exception is LiteLLM's own header (1.90.0 and later). It is the configured cooldown rounded
    up, so it can be recognised and replaced by the time left. An invalid value (a fraction, a
    date, several headers under differing capitals) is replaced, too.

    A wait that is out of reach is not told and removes LiteLLM's own header; if the wait is
    hopeless, ``x-should-retry`` says so.

    If `refusal` has no usable number, the result is a plain copy, without LiteLLM's own header if
    nothing is cooling, because its number cannot come true.
    """
    if refusal.seconds is None:
        untrue = refusal.native if refusal.endless else frozenset()
        return {
            name: value
            for name, value in headers.items()
            if not (name.lower() == RETRY_AFTER and value in untrue)
        }
    theirs = only_value(headers, RETRY_AFTER)
    if parse_delay_seconds(theirs) is not None and theirs not in refusal.native:
        return dict(headers)
    kept = {
        name: value
        for name, value in headers.items()
        if name.lower() not in (RETRY_AFTER, RETRY_AFTER_MS)
    }
    if refusal.out_of_reach:
        return {SHOULD_RETRY: "false", **kept} if refusal.seconds >= HOPELESS else kept
    milliseconds = delay_milliseconds(refusal.seconds)
    seconds = delay_seconds(int(milliseconds) / 1000)
    return {**kept, RETRY_AFTER: seconds, RETRY_AFTER_MS: milliseconds}
