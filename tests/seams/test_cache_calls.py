"""What reading the time left costs LiteLLM's caches: nothing for a proxy's own cooldown."""

from __future__ import annotations

import inspect
import time

import pytest
from conftest import has_rust_router
from litellm_routers import put

from litellm_patch.seams.record import asked_cooldowns, cooldown_cache, redis_questions
from litellm_patch.seams.record.shared_expiry import SharedExpiries
from litellm_patch.seams.refusal import cooling_deployments

pytestmark = pytest.mark.skipif(has_rust_router(), reason="its cooldowns are in no cache")

MODELS = ["a", "b"]
KEYS = [f"deployment:{model}:cooldown" for model in MODELS]


class Counting:
    """A cache that hands on to another one and remembers which of its methods were called."""

    def __init__(self, inner=None):
        self.inner, self.called = inner, []

    def __getattr__(self, name):
        found = getattr(self.inner, name)
        if not callable(found):
            return found

        def call(*args, **kwargs):
            self.called.append(name)
            return found(*args, **kwargs)

        return call


class FakeRedis:
    """As much of LiteLLM's `RedisCache` as reading a cooldown takes."""

    def __init__(self, records, milliseconds):
        self.records, self.milliseconds = records, milliseconds

    def batch_get_cache(self, key_list, **kwargs):
        return {key: self.records.get(key) for key in key_list}

    async def async_batch_get_cache(self, key_list, **kwargs):
        return self.batch_get_cache(key_list)

    def set_cache(self, key, value, **kwargs):
        self.records[key] = value

    def check_and_fix_namespace(self, key):
        return key

    def pttl(self, key):
        return self.milliseconds


def cooldowns(records, milliseconds=7000):
    """LiteLLM's own cooldown cache over a counted memory and a counted Redis."""
    from litellm.caching.caching import DualCache, InMemoryCache
    from litellm.router_utils.cooldown_cache import CooldownCache

    memory, redis = Counting(InMemoryCache()), Counting(FakeRedis(records, milliseconds))
    redis.inner.redis_client = redis
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
    memory.called.clear()
    redis.called.clear()
    ask_without_the_patch(cache)
    alone = list(memory.called)
    memory.called.clear()
    assert seconds_left(cache) == pytest.approx(9, abs=0.5)
    assert memory.called == alone != []
    assert redis.called == []


@pytest.mark.parametrize("own", [False, True])
def test_a_foreign_cooldown_and_ones_own_in_the_place_of_its_copy_cost_one_pttl(own):
    cache, memory, redis = cooldowns(foreign())
    ask_without_the_patch(cache)  # which leaves copies for ten minutes
    kept_until = dict(memory.ttl_dict)
    for model in MODELS if own else ():  # answers to requests that were under way
        put(cache, model, 9)
    if any(memory.ttl_dict[key] < kept_until[key] - 60 for key in KEYS):
        pytest.skip("this release gives the entry the new cooldown's life")
    redis.called.clear()
    assert [seconds_left(cache) for _ in range(3)] == [pytest.approx(7, abs=0.5)] * 3
    assert redis.called.count("pttl") == len(MODELS)
    assert all(memory.ttl_dict[key] - time.time() == pytest.approx(7, abs=0.5) for key in KEYS)


def test_a_copy_that_redis_has_dropped_is_dropped():
    cache, memory, _ = cooldowns(foreign(), milliseconds=-2)
    assert seconds_left(cache) == pytest.approx(0, abs=0.1)
    assert [memory.get_cache(key) for key in KEYS] == [None, None]
