"""How long a cooldown lasts, read from the memory of LiteLLM's cooldown cache.

`CooldownCache.get_min_cooldown` reports the *configured* time. That call has put the records into
the memory of this process, so we read them there again, at the cost of no call to a cache or Redis.

Redis is asked in one case: another proxy, whose clock may differ, wrote the record. Then only the
time to live in Redis counts. That is one PTTL for each such cooldown, not for each request, and a
slow one does not block the proxy (`redis_questions.py`). Before 1.102 LiteLLM keeps its copy of
such a record for ten minutes, however short the cooldown, and refuses as long as it has the copy,
so that no number could be true. So we give the copy the lifetime that the record has in Redis, as
newer releases do (though by the other machine's clock).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ...wait.cooldown_records import HeldCooldown, recorded_end, usable_timestamp
from .shared_expiry import SharedExpiries

COPY_MAY_BE_LATE = 0.05
"""Seconds by which a copy may outlive its record without being written again."""

RECORDED_LATER = 1.0
"""Seconds, at most, between the time in a record and the time that its entry counts from."""

_OWN_AT_MOST = 10_000
_own: dict[str, float] = {}  # cache key -> timestamp of the cooldown that this process wrote
_shared = SharedExpiries()


def note_own_cooldown(cache: Any, arguments: Mapping[str, Any], result: object) -> None:
    """Remember that this process, with its own clock, wrote the cooldown of a deployment."""
    key = _key(arguments["model_id"])
    written = _written(_memory(cache).cache_dict.get(key))
    if written is not None:
        if len(_own) >= _OWN_AT_MOST:
            _own.pop(next(iter(_own)), None)
        _own[key] = written


def held_cooldown(cache: Any, model_id: str) -> HeldCooldown | None:
    """The cooldown that `cache` holds for a deployment; None if it is not cooling."""
    key, memory = _key(model_id), _memory(cache)
    record = memory.cache_dict.get(key)
    if record is None:
        return None
    redis, written, shared_seconds = redis_of(cache), _written(record), None
    if redis is not None and written is not None:
        own = _own.get(key) == written
        if not own or _outlives(memory.ttl_dict.get(key), record):
            shared_seconds = _shared.seconds(redis, key, written)
    if shared_seconds is not None:
        _keep_no_longer(memory, key, record, shared_seconds)
        if shared_seconds <= 0:
            return HeldCooldown(None, expires_at=time.time())
    return HeldCooldown(record, memory.ttl_dict.get(key), shared_seconds)


def redis_of(cache: Any) -> Any:
    """LiteLLM's `RedisCache` that `cache` shares its cooldowns through; None if there is none."""
    return getattr(_store(cache), "redis_cache", None)


def _written(record: object) -> float | None:
    """The `time.time()` at which a cooldown record says that it was written."""
    return usable_timestamp(record.get("timestamp")) if isinstance(record, Mapping) else None


def _outlives(expires_at: object, record: Mapping[str, Any]) -> bool:
    """Whether an entry expires later than its own record says.

    That happens where this process cools a deployment although it has a copy of another proxy's
    cooldown: LiteLLM replaces the record and leaves the entry the ten minutes of the copy.
    """
    ends_at = recorded_end(record)
    if ends_at is None or not isinstance(expires_at, float):
        return False
    return expires_at > ends_at + RECORDED_LATER


def _keep_no_longer(memory: Any, key: str, record: object, seconds: float) -> None:
    """Let this process drop its copy of a record no later than Redis drops the record."""
    expires_at = memory.ttl_dict.get(key)
    if expires_at is None or expires_at > time.time() + seconds + COPY_MAY_BE_LATE:
        memory.delete_cache(key)  # newer caches do not change the expiry of an entry
        if seconds > 0:
            memory.set_cache(key, record, ttl=seconds)


def _store(cache: Any) -> Any:
    """The DualCache that holds the cooldowns: the router's, from 1.102 on one of their own."""
    own_store = getattr(cache, "_cooldown_store", None)
    return cache.cache if own_store is None else own_store


def _memory(cache: Any) -> Any:
    return _store(cache).in_memory_cache


def _key(model_id: str) -> str:
    return f"deployment:{model_id}:cooldown"
