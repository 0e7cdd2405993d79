"""How much is left of the cooldowns of the router in Rust, and for which request."""

from __future__ import annotations

import gc
import time
from contextvars import copy_context
from types import SimpleNamespace

import pytest

from litellm_patch.seams.record import cooldown_store
from litellm_patch.seams.record.cooldown_store import note_active, remember_entry, stored_cooldowns
from litellm_patch.seams.refusal.rate_limit_error import _RETRY_AFTER, put_on_refusal
from litellm_patch.wait import marks

LASTS = 60


class Store:
    """As much of LiteLLM's `RouterCooldownStore` as is looked at."""

    has_redis = False

    def put(self, model_id, ttl, began=0.0):
        """Record a failure of `began` seconds ago, as the seam sees it."""
        record = {"timestamp": time.time() - began, "cooldown_time": ttl}
        remember_entry(self, {"model_id": model_id, "value": record, "ttl": ttl}, None)
        return model_id, record


def answer(store, *active):
    """The store answers the router's question which deployments are cooling."""
    note_active(SimpleNamespace(cooldown_store=store), {}, active)


CONFIGURED = 777


def left(*ids):
    """Seconds that a refusal tells."""
    refusal = SimpleNamespace(model="m", cooldown_list=(), cooldown_deployments=None, args=())
    put_on_refusal(refusal, {"cooldown_time": CONFIGURED, "model_ids": ids}, None)
    return marks.get(refusal, _RETRY_AFTER)


def about(seconds):
    return pytest.approx(seconds, abs=0.5)


@pytest.fixture
def store():
    return Store()


@pytest.mark.parametrize(
    "redis, put, passed, again, seconds",
    [
        (False, (LASTS, 20), 0, None, LASTS - 20),
        # A later failure does not prolong a cooldown, and one after its end begins another.
        (False, (LASTS, 0), 20, (LASTS, 0), LASTS - 20),
        (False, (LASTS, 0), LASTS + 1, (LASTS, 0), LASTS),
        # With a Redis the record alone decides, by the clock of the proxy that reads it.
        (True, (5, 0), 0, (LASTS, 0), LASTS),
        (True, (20, -60), 0, None, 80),
    ],
)
def test_a_cooldown_ends_with_its_record_or_its_entry(
    store, monkeypatch, redis, put, passed, again, seconds
):
    store.has_redis = redis
    record = store.put("a", *put)
    monotonic, clock = time.monotonic, time.time
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + passed)
    monkeypatch.setattr(time, "time", lambda: clock() + passed)
    answer(store, store.put("a", *again) if again else record)
    assert left("a") == about(seconds)


def test_the_memory_of_a_store_can_be_read_without_a_question(store):
    (model_id, record) = store.put("a", LASTS)
    store.snapshot = lambda: {f"deployment:{model_id}:cooldown": record}
    stored = stored_cooldowns(SimpleNamespace(cooldown_store=store))
    assert stored.held("a").expires_at - time.time() == about(LASTS)
    assert stored.held("b") is None


def test_the_entries_of_one_router_are_not_those_of_another(store):
    store.put("a", 5)
    other = Store()
    answer(other, other.put("a", LASTS))
    assert left("a") == about(LASTS)


def test_a_router_that_is_gone_is_forgotten():
    store = Store()
    store.put("a", LASTS)
    before = len(cooldown_store._entries)
    del store
    gc.collect()
    assert len(cooldown_store._entries) < before


def test_ends_are_for_one_refusal_and_one_request_and_the_deployments_that_it_may_use(store):
    records = store.put("a", 20), store.put("b", 40)
    for ids, seconds in {"ab": 20, "b": 40}.items():
        answer(store, *records)
        assert left(*ids) == about(seconds)
        assert left(*ids) == CONFIGURED
    for ids in ("c", ""):
        answer(store, *records)
        assert left(*ids) == CONFIGURED
    copy_context().run(answer, store, *records)
    assert left("a") == CONFIGURED


@pytest.mark.parametrize("redis", [True, False])
@pytest.mark.parametrize("record", [None, {"timestamp": "x", "cooldown_time": 1}])
def test_a_record_that_tells_nothing_leaves_litellms_number(store, record, redis):
    store.has_redis = redis
    answer(store, ("a", record))
    assert left("a") == CONFIGURED


def test_a_cooldown_of_no_usable_length_makes_no_entry(store):
    store.put("a", LASTS)
    for lasts in (None, "60", float("nan")):
        remember_entry(store, {"model_id": "b", "ttl": lasts}, None)
    assert list(cooldown_store._entries[store]) == ["a"]


def test_ten_thousand_entries_are_remembered_and_the_oldest_is_forgotten(store):
    for number in range(10_001):
        store.put(f"a{number}", LASTS)
    entries = list(cooldown_store._entries[store])
    assert entries == [f"a{number}" for number in range(1, 10_001)]


@pytest.mark.parametrize("cooldowns", [object(), SimpleNamespace(cooldown_store=object())])
def test_a_cache_that_keeps_its_cooldowns_elsewhere_has_no_store(cooldowns):
    assert stored_cooldowns(cooldowns) is None
