"""How long a cooldown still lasts, from what LiteLLM's caches hold about it.

A cooldown record is what `litellm.router_utils.cooldown_cache.CooldownCache` stores for a
deployment: a mapping with `timestamp` and `cooldown_time`, both in seconds, the same in every
release from 1.53.1 on. The deployment is free when the entry that holds the record expires, so a
known expiry counts for more than the record: LiteLLM keeps the first, shorter expiry when it cools
a deployment again (LiteLLM issue #40130).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .delay_seconds import usable_seconds


@dataclass(frozen=True)
class HeldCooldown:
    """What is known about the cooldown of one deployment.

    Attributes:
        record: the cooldown record as it was found; may be anything.
        expires_at: wall-clock time in seconds at which this process drops the record, if known.
        shared_seconds: seconds until a cache shared with other processes drops it, if known.
            No other clock counts for a record that another machine wrote.
    """

    record: object
    expires_at: float | None = None
    shared_seconds: float | None = None


def first_to_end(
    cooldowns: Iterable[HeldCooldown], now: float
) -> tuple[float, HeldCooldown] | None:
    """The cooldown that ends first, and the seconds until then; None if none is usable.

    Args:
        cooldowns: of the deployments of a model group that have a record.
        now: wall-clock time in seconds.
    """
    left = [(seconds_left(held, now), held) for held in cooldowns]
    known = [(seconds, held) for seconds, held in left if seconds is not None]
    return min(known, key=lambda each: each[0], default=None)


def seconds_left(held: HeldCooldown, now: float) -> float | None:
    """Seconds that one cooldown still lasts, 0 if it is over, None if nothing usable is known."""
    if held.shared_seconds is not None and held.shared_seconds > 0:
        return usable_seconds(held.shared_seconds)
    by_record = _by_record(held.record, now)
    by_expiry = None if held.expires_at is None else usable_seconds(max(held.expires_at - now, 0.0))
    known = [left for left in (by_record, by_expiry) if left is not None]
    # LiteLLM may still refuse when one of the two is over, because it goes by the other.
    return min((left for left in known if left > 0), default=min(known, default=None))


def _by_record(record: object, now: float) -> float | None:
    if not isinstance(record, Mapping):
        return None
    lasts, ends_at = usable_seconds(record.get("cooldown_time")), recorded_end(record)
    if lasts is None or ends_at is None:
        return None
    # A beginning in the future is a clock that was set back: at most the whole cooldown is left.
    return min(max(ends_at - now, 0.0), lasts)


def recorded_end(record: Mapping[str, object]) -> float | None:
    """Wall-clock time in seconds at which the cooldown ends by its record; None if unusable."""
    began = usable_timestamp(record.get("timestamp"))
    lasts = usable_seconds(record.get("cooldown_time"))
    return None if began is None or lasts is None else began + lasts


def usable_timestamp(value: object) -> float | None:
    """`value` as seconds since the epoch, or None if it cannot be that."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    # Up to the year 9999; false for nan.
    return float(value) if 0 < value < 253_402_300_800 else None
