"""What reading the time left costs LiteLLM's caches: nothing for a proxy's own cooldown."""

from __future__ import annotations

import inspect
import time
from unittest.mock import AsyncMock, Mock

import pytest
from conftest import has_rust_router
from litellm_routers import put

from litellm_patch.seams.record import asked_cooldowns, cooldown_cache, redis_questions
from litellm_patch.seams.record.shared_expiry import SharedExpiries
from litellm_patch.seams.refusal import cooling_deployments

pytestmark = pytest.mark.skipif(has_rust_router(), reason="its cooldowns are in no cache")

MODELS = ["a", "b"]
KEYS = [f"deployment:{model}:cooldown" for model in MODELS]


def called(memory):
    names = [name for name, *_ in memory.method_calls]
    memory.reset_mock()
    return names


def redis_with(records, milliseconds):
    """As much of LiteLLM's `RedisCache` as reading a cooldown takes."""

    def read(key_list, **kwargs):
        return {key: records.get(key) for key in key_list}

    redis = Mock(
        batch_get_cache=Mock(side_effect=read),
        async_batch_get_cache=AsyncMock(side_effect=read),
        set_cache=Mock(side_effect=lambda key, value, **kwargs: records.update({key: value})),
        check_and_fix_namespace=Mock(side_effect=lambda key: key),
        pttl=Mock(return_value=milliseconds),
    )
    redis.redis_client = redis
    return redis


def cooldowns(records, milliseconds=7000):
    """LiteLLM's own cooldown cache over a counted memory and a counted Redis."""
    from litellm.caching.caching import DualCache, InMemoryCache
    from litellm.router_utils.cooldown_cache import CooldownCache

    held, redis = InMemoryCache(), redis_with(records, milliseconds)
    memory = Mock(wraps=held, cache_dict=held.cache_dict, ttl_dict=held.ttl_dict)
    cache = CooldownCache(DualCache(memory, redis), default_cooldown_time=60)
    if hasattr(cache, "_cooldown_store"):  # 1.102 and later
        cache._cooldown_store.in_memory_cache = cache.in_memory_cache = memory
    return cache, memory, redis


def seconds_left(cache):
    """What a refusal tells that LiteLLM makes of what it asked its cooldown cache."""
    cache.get_min_cooldown(model_ids=MODELS, parent_otel_span=None)
    asked = asked_cooldowns._asked.get()
    refused = cooling_deployments._Refused(asked.model_ids, certain=False)
    cooling = cooling_deployments._cooling(refused, asked.cooldowns, "m")
    return cooling and cooling.ready_at - time.monotonic()


def ask_without_the_patch(cache):
    plain = inspect.unwrap(type(cache).get_min_cooldown)
    plain(cache, model_ids=MODELS, parent_otel_span=None)


def foreign():
    said = {"exception_received": "", "status_code": "429", "cooldown_time": 60.0}
    return {key: {**said, "timestamp": time.time() - 1} for key in KEYS}


@pytest.fixture(autouse=True)
def fresh(patched, monkeypatch):
    # The fake Redis answers at once, but on a busy machine its thread may have to wait for a core.
    for name in ("PATIENCE", "SAVED"):
        monkeypatch.setattr(redis_questions, name, 60.0)
    monkeypatch.setattr(cooldown_cache, "_shared", SharedExpiries())
    monkeypatch.setattr(cooldown_cache, "_own", {})


def test_a_cooldown_of_ones_own_costs_no_call_of_any_cache():
    cache, memory, redis = cooldowns({})
    for model in MODELS:
        put(cache, model, 9)
    memory.reset_mock()
    redis.reset_mock()
    ask_without_the_patch(cache)
    alone = called(memory)
    assert seconds_left(cache) == pytest.approx(9, abs=0.5)
    assert called(memory) == alone != []
    assert redis.mock_calls == []


@pytest.mark.parametrize("own", [False, True])
def test_a_foreign_cooldown_and_ones_own_in_the_place_of_its_copy_cost_one_pttl(own):
    cache, memory, redis = cooldowns(foreign())
    ask_without_the_patch(cache)  # which leaves copies for ten minutes
    kept_until = dict(memory.ttl_dict)
    for model in MODELS if own else ():  # answers to requests that were under way
        put(cache, model, 9)
    if any(memory.ttl_dict[key] < kept_until[key] - 60 for key in KEYS):
        pytest.skip("this release gives the entry the new cooldown's life")
    redis.pttl.reset_mock()
    assert [seconds_left(cache) for _ in range(3)] == [pytest.approx(7, abs=0.5)] * 3
    assert redis.pttl.call_count == len(MODELS)
    assert all(memory.ttl_dict[key] - time.time() == pytest.approx(7, abs=0.5) for key in KEYS)


def test_a_copy_that_redis_has_dropped_is_dropped():
    cache, memory, _ = cooldowns(foreign(), milliseconds=-2)
    assert seconds_left(cache) == pytest.approx(0, abs=0.1)
    assert [memory.get_cache(key) for key in KEYS] == [None, None]
