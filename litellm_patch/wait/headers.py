"""Put ``Retry-After`` and ``retry-after-ms`` into the headers of an error answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .delay_seconds import delay_milliseconds, delay_seconds, parse_delay_seconds
from .exception_chain import Refusal
from .patience import is_hopeless

RETRY_AFTER = "retry-after"
RETRY_AFTER_MS = "retry-after-ms"
SHOULD_RETRY = "x-should-retry"
"""``false`` stops the retries of the OpenAI and Anthropic SDKs and of Claude Code."""


def retry_after_values(headers: Mapping[Any, Any]) -> list[Any]:
    """Every ``Retry-After`` in `headers`, however its name is capitalised."""
    return [value for name, value in headers.items() if str(name).lower() == RETRY_AFTER]


def with_retry_after(headers: Mapping[str, str], refusal: Refusal) -> dict[str, str]:
    """A copy of `headers` with exactly one valid ``Retry-After`` for `refusal`, or none.

    Where the value is ours, ``retry-after-ms`` tells the same wait in milliseconds.

    A valid value that is already there stays: somebody decided it, and may know more. The
    exception is LiteLLM's own header (1.90.0 and later), which is the configured cooldown
    rounded up and which we can therefore recognise and better. An invalid value (a fraction,
    a date, several headers under differing capitals) makes way for ours.

    Of a wait that is out of reach nothing is told, LiteLLM's own header makes way for nothing,
    and where it is hopeless ``x-should-retry`` says so.

    Where `refusal` has no usable number, `headers` come back as a plain copy. Only LiteLLM's
    own header is left out if nothing is cooling, because its number cannot come true.
    """
    if refusal.seconds is None:
        untrue = refusal.native if refusal.endless else frozenset()
        return {
            name: value
            for name, value in headers.items()
            if not (name.lower() == RETRY_AFTER and value in untrue)
        }
    theirs = retry_after_values(headers)
    if len(theirs) == 1 and parse_delay_seconds(theirs[0]) is not None:
        if theirs[0] not in refusal.native:
            return dict(headers)
    kept = {
        name: value
        for name, value in headers.items()
        if name.lower() not in (RETRY_AFTER, RETRY_AFTER_MS)
    }
    if refusal.out_of_reach:
        return {**({SHOULD_RETRY: "false"} if is_hopeless(refusal.seconds) else {}), **kept}
    milliseconds = delay_milliseconds(refusal.seconds)
    seconds = delay_seconds(int(milliseconds) / 1000)
    return {**kept, RETRY_AFTER: seconds, RETRY_AFTER_MS: milliseconds}
