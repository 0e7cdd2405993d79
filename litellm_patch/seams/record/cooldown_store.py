"""How long a cooldown lasts in the router in Rust (LiteLLM 1.110.0 and later).

The expiry of an entry in its store cannot be read. But every write to the store passes through
Python, and so does its answer when the router asks for the cooldowns of a group before it refuses.

A cooldown ends when its record says so or, in the memory of one process, when the entry expires
that the *first* of several failures made: a later failure replaces the record but does not prolong
the entry (LiteLLM issue #40130). Where the store has a Redis, the record alone decides, by the
clock of the proxy that reads it: a proxy whose clock is a minute behind refuses a minute longer.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from ...wait.cooldown_records import HeldCooldown, recorded_end
from ...wait.delay_seconds import usable_seconds
from .asked_cooldowns import note_records

_ENTRIES_AT_MOST = 10_000
_entries: MutableMapping[Any, dict[str, float]] = WeakKeyDictionary()
"""For each store, by deployment id, the `time.monotonic()` at which the entry expires."""


@dataclass(frozen=True)
class StoredCooldowns:
    """Cooldown records that the store returned, by deployment id."""

    store: Any
    records: Mapping[str, Mapping[str, object]]

    def held(self, model_id: str) -> HeldCooldown | None:
        """The cooldown of a deployment; None if it is not cooling."""
        record = self.records.get(model_id)
        if record is None:
            return None
        if self.store.has_redis:
            ends_at = recorded_end(record)
            return HeldCooldown(record, shared_seconds=ends_at and ends_at - time.time())
        expires = _entries.get(self.store, {}).get(model_id)
        return HeldCooldown(record, expires and time.time() + expires - time.monotonic())


def remember_entry(store: Any, arguments: Mapping[str, Any], result: object) -> None:
    """Remember when the entry of a failure expires, unless an earlier one still exists."""
    lasts, now = usable_seconds(arguments["ttl"]), time.monotonic()
    if lasts is None:
        return
    entries = _entries.setdefault(store, {})
    if entries.get(arguments["model_id"], now) > now:
        return
    if len(entries) >= _ENTRIES_AT_MOST:
        entries.pop(next(iter(entries)), None)
    entries[arguments["model_id"]] = now + lasts


def note_active(cooldowns: Any, arguments: Mapping[str, Any], result: Any) -> None:
    """Keep the answer of the store for the refusal that follows."""
    note_records(StoredCooldowns(cooldowns.cooldown_store, dict(result)))


def stored_cooldowns(cooldowns: Any) -> StoredCooldowns | None:
    """The cooldowns in the memory of the store in Rust; None if `cooldowns` has another store.

    Args:
        cooldowns: LiteLLM's `CooldownCache`.
    """
    if isinstance(cooldowns, StoredCooldowns):
        return cooldowns
    store = getattr(cooldowns, "cooldown_store", None)
    snapshot = getattr(store, "snapshot", None)
    if snapshot is None:
        return None
    records = {
        key.removeprefix("deployment:").removesuffix(":cooldown"): record
        for key, record in snapshot().items()
    }
    return StoredCooldowns(store, records)
