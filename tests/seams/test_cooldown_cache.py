"""How long a cooldown lasts, by the memory of LiteLLM's cooldown cache and by Redis behind it."""

from __future__ import annotations

import time
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from litellm.caching.in_memory_cache import InMemoryCache

from litellm_patch.seams.record import cooldown_cache
from litellm_patch.seams.record.cooldown_cache import held_cooldown, note_own_cooldown
from litellm_patch.wait.cooldown_records import HeldCooldown

NOW = 1_795_000_000.0
KEY = "deployment:a:cooldown"
RECORD = {"timestamp": NOW - 20, "cooldown_time": 60.0}
REDIS = object()


@pytest.fixture(autouse=True)
def shared(monkeypatch):
    """What Redis answers; None where it does not answer in time."""
    seconds = Mock(return_value=None)
    monkeypatch.setattr(cooldown_cache, "_shared", SimpleNamespace(seconds=seconds))
    monkeypatch.setattr(cooldown_cache, "_own", {})
    monkeypatch.setattr(time, "time", lambda: NOW)
    return seconds


def cooldowns(record: object = RECORD, expires: object = NOW + 600, redis: object = REDIS):
    """LiteLLM's cooldown cache over the cache that the whole router has (up to 1.101)."""
    memory = InMemoryCache()
    memory.cache_dict = {} if record is None else {KEY: record}
    memory.ttl_dict = {} if expires is None else {KEY: expires}
    dual_cache = SimpleNamespace(in_memory_cache=memory, redis_cache=redis)
    return SimpleNamespace(cache=dual_cache, memory=memory)


def note(cache, model_id="a"):
    note_own_cooldown(cache, {"model_id": model_id}, None)


def test_without_a_record_or_a_redis_nothing_is_asked(shared):
    assert held_cooldown(cooldowns(None, None), "a") is None
    assert held_cooldown(cooldowns(), "b") is None
    without = cooldowns()
    del without.cache.redis_cache
    for cache in (without, cooldowns(redis=None)):
        assert held_cooldown(cache, "a") == HeldCooldown(RECORD, NOW + 600)
    shared.assert_not_called()


def test_a_redis_that_does_not_answer_changes_nothing(shared):
    cache = cooldowns()
    assert held_cooldown(cache, "a") == HeldCooldown(RECORD, NOW + 600)
    assert (shared.call_count, cache.memory.ttl_dict) == (1, {KEY: NOW + 600})


def test_from_1_102_on_cooldowns_have_a_store_of_their_own(shared):
    shared.return_value = 7.0
    cache = cooldowns()
    cache._cooldown_store, cache.cache = cache.cache, cooldowns(redis=None).cache
    assert held_cooldown(cache, "a").shared_seconds == 7.0
    cache._cooldown_store = None
    assert held_cooldown(cache, "a") == HeldCooldown(RECORD, NOW + 600)


@pytest.mark.parametrize(
    "answer, expires, ends",
    [
        (0.4, NOW + 600, NOW + 0.4),
        (0, NOW + 600, None),
        (-3.0, NOW + 600, None),
        (7.0, NOW + 7.05, NOW + 7.05),  # not worth writing again
        (7.0, NOW + 7.2, NOW + 7),
        (7.0, NOW + 3, NOW + 3),
        (7.0, None, NOW + 7),
    ],
)
def test_a_copy_of_a_foreign_cooldown_ends_when_redis_drops_it(shared, answer, expires, ends):
    shared.return_value = answer
    cache = cooldowns(expires=expires)
    left = HeldCooldown(RECORD, ends, shared_seconds=answer)
    assert held_cooldown(cache, "a") == (HeldCooldown(None, NOW) if ends is None else left)
    shared.assert_called_once_with(REDIS, KEY, RECORD["timestamp"])
    assert cache.memory.ttl_dict == ({} if ends is None else {KEY: ends})


@pytest.mark.parametrize("record", ["cooling", {"timestamp": "x"}, {"cooldown_time": 60.0}])
def test_a_record_that_tells_no_beginning_is_not_asked_about(shared, record):
    cache = cooldowns(record)
    note(cache)
    assert cooldown_cache._own == {}
    assert held_cooldown(cache, "a") == HeldCooldown(record, NOW + 600)
    shared.assert_not_called()


@pytest.mark.parametrize(
    "lasts, expires, later, asks",
    [
        (60.0, NOW + 41, 0, False),  # LiteLLM makes the entry up to a second after the record
        (60.0, NOW + 41.5, 0, True),  # the entry is that of a copy
        (60.0, None, 0, False),
        (None, NOW + 600, 0, False),
        (60.0, NOW + 40, 1, True),  # a later record of another process is not ones own
    ],
)
def test_redis_is_asked_about_our_own_cooldown_only_if_a_copy_was_there(
    shared, lasts, expires, later, asks
):
    cache = cooldowns({**RECORD, "cooldown_time": lasts}, expires)
    note(cache)
    cache.memory.cache_dict[KEY]["timestamp"] += later
    held_cooldown(cache, "a")
    assert shared.called is asks


def test_ten_thousand_own_cooldowns_are_remembered_and_the_oldest_is_forgotten():
    cache = cooldowns(None, None)
    keys = [f"deployment:{number}:cooldown" for number in range(10_001)]
    cache.memory.cache_dict = dict.fromkeys(keys, RECORD)
    for number in range(10_000):
        note(cache, number)
    assert list(cooldown_cache._own) == keys[:-1]
    note(cache, 10_000)
    assert list(cooldown_cache._own) == keys[1:]
