"""From a number of seconds to the value of a ``Retry-After`` header, and back."""

from __future__ import annotations

import math
from datetime import timezone
from email.utils import parsedate_to_datetime

LARGEST = 2**31 - 1
"""Seconds. RFC 9111 §1.2.2 lets a recipient treat a longer delta as this one. A wait of more
than 68 years is a mistake and is never sent."""


def usable_seconds(value: object) -> float | None:
    """`value` as a number of seconds that may be told to a client, or None.

    Everything but an `int` or a `float` from 0 to `LARGEST` is rejected, also `bool` and numeric
    strings: LiteLLM never makes one, so one is a sign of a foreign record.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    # Compared before conversion: float() of an int of 400 digits raises.
    if not 0 <= value <= LARGEST:  # also false for nan
        return None
    return float(value)


def delay_seconds(seconds: float) -> str:
    """`seconds` as RFC 9110 §10.2.3 delay-seconds: digits only, rounded up.

    Only an exact 0 gives ``"0"``, which many clients read as "at once".

    Args:
        seconds: a value that `usable_seconds` returned.
    """
    return str(math.ceil(seconds))


def delay_milliseconds(seconds: float) -> str:
    """`seconds` as the value of ``retry-after-ms``, in whole milliseconds, rounded up.

    The OpenAI, Anthropic and Vercel SDKs read this header first. ``Retry-After`` is this value
    rounded up again, to whole seconds.
    """
    # Through the decimal form, or 1.001 s would become 1002 ms by a rounding error of 2e-16.
    return str(math.ceil(round(seconds * 1000, 6)) or math.ceil(seconds))


def parse_delay_seconds(value: object) -> int | None:
    """The seconds in a valid delay-seconds header value, or None (fractions and dates too)."""
    text = value.strip() if isinstance(value, str) else ""
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(LARGEST)):
        return None
    return int(text)


def parse_http_date(value: object) -> float | None:
    """The seconds since the epoch of a valid HTTP-date (RFC 9110 §5.6.7), or None."""
    if not isinstance(value, str):
        return None
    try:
        date = parsedate_to_datetime(value)
        if date.tzinfo is None:  # an asctime-date names no zone, and is UTC
            date = date.replace(tzinfo=timezone.utc)
        return date.timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):  # by Python's version
        return None
