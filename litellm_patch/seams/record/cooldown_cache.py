"""How long a cooldown lasts, read from the memory of LiteLLM's cooldown cache.

`CooldownCache.get_min_cooldown` reports the *configured* time. Here the same records are read
once more from the memory of this process, where that call has put them, so that nothing is
asked of any cache or Redis.

Redis is asked in one case: the record was written by another proxy, whose clock may differ.
Then its own time to live is the truth. That is one PTTL for each such cooldown, not for each
request, and one that hangs does not hold up the proxy (`redis_questions.py`). Before 1.102
LiteLLM keeps its copy of such a record for ten minutes, however short the cooldown, and refuses
as long as it has it, so that no number could be true. The copy is given the life that the record
has in Redis, as LiteLLM itself does since (but by the other machine's clock).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ...wait.cooldown_records import HeldCooldown, recorded_end, usable_timestamp
from .shared_expiry import SharedExpiries

COPY_MAY_BE_LATE = 0.05
"""Seconds that a copy may outlive its record; less is not worth writing it again."""

RECORDED_LATER = 1.0
"""Seconds between the times that LiteLLM writes into a record and takes for its entry."""

_OWN_AT_MOST = 10_000
_own: dict[str, float] = {}  # cache key -> timestamp of the cooldown that this process wrote
_shared = SharedExpiries()


def note_own_cooldown(cache: Any, arguments: Mapping[str, Any], result: object) -> None:
    """Remember that this process, with its own clock, wrote the cooldown of a deployment."""
    key = _key(arguments["model_id"])
    record = _memory(cache).cache_dict.get(key)
    written = usable_timestamp(record.get("timestamp")) if isinstance(record, Mapping) else None
    if written is not None:
        if len(_own) >= _OWN_AT_MOST:
            _own.pop(next(iter(_own)), None)
        _own[key] = written


def held_cooldown(cache: Any, model_id: str) -> HeldCooldown | None:
    """What `cache` holds about the cooldown of a deployment; None if it is not cooling."""
    key, memory = _key(model_id), _memory(cache)
    record = memory.cache_dict.get(key)
    if record is None:
        return None
    written = usable_timestamp(record.get("timestamp")) if isinstance(record, Mapping) else None
    redis = redis_of(cache)
    shared_seconds = None
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


def _outlives(expires_at: object, record: Mapping[str, Any]) -> bool:
    """Whether an entry is kept for longer than its own record says.

    So it is where this process cooled a deployment of whose cooldown it had a copy: LiteLLM
    replaces the record, and leaves the entry the ten minutes of the copy.
    """
    ends_at = recorded_end(record)
    if ends_at is None or not isinstance(expires_at, float):
        return False
    return expires_at > ends_at + RECORDED_LATER


def _keep_no_longer(memory: Any, key: str, record: object, seconds: float) -> None:
    """Let this process drop its copy of a record when Redis drops the record."""
    expires_at = memory.ttl_dict.get(key)
    if expires_at is None or expires_at > time.time() + seconds + COPY_MAY_BE_LATE:
        memory.delete_cache(key)  # newer caches do not change the expiry of what they have
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
