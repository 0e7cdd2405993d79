"""How long a cooldown lasts that the router in Rust keeps (LiteLLM 1.110.0 and later).

Its store has no expiry that can be read, but every write to it passes through Python, and so does
its answer when the router asks for the cooldowns of a group, just before it refuses.

A cooldown ends when its record says so or, in the memory of one process, when the entry expires
that the *first* of several failures made, since a later failure replaces the record and not the
entry's life (LiteLLM issue #40130). Where the store has a Redis, the record alone decides, by the
clock of the proxy that reads it: one whose clock is a minute behind refuses a minute longer.
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
    """Cooldowns as the store told them, by deployment id."""

    store: Any
    records: Mapping[str, object]

    def held(self, model_id: str) -> HeldCooldown | None:
        """What is known about the cooldown of a deployment; None if it is not cooling."""
        record = self.records.get(model_id)
        if record is None:
            return None
        if self.store.has_redis:
            ends_at = recorded_end(record) if isinstance(record, Mapping) else None
            return HeldCooldown(record, shared_seconds=ends_at and ends_at - time.time())
        expires = _entries.get(self.store, {}).get(model_id)
        return HeldCooldown(record, expires and time.time() + expires - time.monotonic())


def remember_entry(store: Any, arguments: Mapping[str, Any], result: object) -> None:
    """Remember when the entry expires that a failure just made, unless there is one already."""
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
    """Keep, for the refusal that follows, what the store told."""
    note_records(StoredCooldowns(cooldowns.cooldown_store, dict(result)))


def stored_cooldowns(cooldowns: Any) -> StoredCooldowns | None:
    """What `cooldowns` has in memory, where its store is the one in Rust; else None.

    Args:
        cooldowns: LiteLLM's `CooldownCache`.
    """
    if isinstance(cooldowns, StoredCooldowns):
        return cooldowns
    store = getattr(cooldowns, "cooldown_store", None)
    snapshot = getattr(store, "snapshot", None)
    if snapshot is None:
        return None
    records = {_model_id(key): record for key, record in snapshot().items()}
    return StoredCooldowns(store, records)


def _model_id(key: str) -> str:
    """The id in a key of the store: ``deployment:<id>:cooldown``."""
    return key[len("deployment:") : -len(":cooldown")]
