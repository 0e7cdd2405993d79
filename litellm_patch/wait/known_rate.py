"""The rate that a model group's queue begins with, by what is known before anyone was refused.

Rates are clients per second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

START = 9.0
"""Where nothing is known. It brings 30 clients back within 4 s. (Chosen with
tests/bench/random_overloads.py.)"""

SHARE_OF_LIMIT = 0.5
"""The part of a configured limit that a queue begins with: new calls need some of it, too."""

SLOWEST, FASTEST = 1.0, 500.0
"""Bounds of what is learned. A slower queue would put few clients behind what SDKs honour."""


@dataclass(frozen=True)
class KnownRate:
    """What is known about the rate that a model group takes, in requests per second.

    Attributes:
        limit: sum of the rpm limits that the operator configured: never faster than this, but
            where more clients wait than could then be told a wait that they honour.
        served: what the router counted as served before the cooldown: not the most that the
            group can take, but it took this much.
    """

    limit: float | None = None
    served: float | None = None


def start(known: KnownRate) -> float:
    """Clients per second that the first queue of a group begins with."""
    limit, served = usable(known.limit), usable(known.served)
    if limit is not None:
        return bounded(limit * SHARE_OF_LIMIT)
    return bounded(max(START, served or 0.0))


def usable(number: float | None) -> float | None:
    """The number, if it is finite and more than 0."""
    return number if number is not None and math.isfinite(number) and number > 0 else None


def bounded(rate: float) -> float:
    """A learned rate, within the bounds of what may be learned."""
    return min(max(rate, SLOWEST), FASTEST)
