"""Reading the rate of a group from LiteLLM's router, in the shapes of all releases."""

from __future__ import annotations

import sys
import time
from types import SimpleNamespace

import pytest
from litellm_routers import entry, router_of

from litellm_patch.seams.record.group_rate import (
    SHORTEST_SAMPLE,
    configured_limit,
    known_rate,
    known_rate_of,
    served_rate,
)
from litellm_patch.wait.known_rate import KnownRate

NOW = 1_795_000_000.0


class Memory:
    """LiteLLM's in-memory cache, with what was counted for deployments."""

    def __init__(self, **successes: int) -> None:
        self.cache_dict = {f"{name}:successes": number for name, number in successes.items()}
        self.ttl_dict = dict.fromkeys(self.cache_dict, time.time() + 30)

    def allow_ttl_override(self) -> None: ...


def python_router(model_list, memory) -> SimpleNamespace:
    """The router up to 1.109.0: a list, and a cache."""
    return SimpleNamespace(model_list=model_list, cache=SimpleNamespace(in_memory_cache=memory))


class Facade:
    """The router from 1.109.1 on: a registry and a store of health."""

    model_list = property(lambda self: pytest.fail("it warns that it is deprecated"))
    cache = property(lambda self: pytest.fail("nothing is counted there"))

    def __init__(self, model_list, memory) -> None:
        self._list, self._memory = model_list, memory

    def registry(self):
        return self

    def deployments(self, group, source):
        assert source == "named"
        return [each for each in self._list if each["model_name"] == group] or None

    def health(self):
        return SimpleNamespace(store=SimpleNamespace(in_memory_cache=self._memory))


def deployment(name: str, group: str = "m", rpm: object = 60) -> dict[str, object]:
    return {"model_name": group, "litellm_params": {"rpm": rpm}, "model_info": {"id": name}}


@pytest.fixture
def proxy(monkeypatch):
    """Let the proxy have this router."""

    def has(router) -> None:
        module = SimpleNamespace(llm_router=router)
        monkeypatch.setitem(sys.modules, "litellm.proxy.proxy_server", module)

    return has


@pytest.mark.parametrize("kind", [python_router, Facade])
def test_the_deployments_of_the_group_count_and_no_others(proxy, kind):
    entries = [deployment("a"), deployment("b"), deployment("c", group="other", rpm=600)]
    proxy(kind(entries, Memory(a=300, b=600, c=6000)))
    rate = known_rate("m")
    assert rate.limit == 2
    assert rate.served == pytest.approx(30, rel=0.05)
    assert known_rate("unknown") == KnownRate()


def test_nothing_is_known_where_no_proxy_runs(proxy, monkeypatch):
    proxy(None)
    assert known_rate("m") == KnownRate()
    monkeypatch.delitem(sys.modules, "litellm.proxy.proxy_server")
    assert known_rate("m") == KnownRate()


@pytest.mark.parametrize(
    "memory, entry",
    [
        (SimpleNamespace(**vars(Memory(a=300))), deployment("a")),  # it prolongs its entries
        (Memory(a=300), {"rpm": 60}),  # without an id, nothing is counted
    ],
)
def test_without_a_count_there_is_no_rate(memory, entry):
    assert known_rate_of(python_router([], memory), [entry]) == KnownRate(limit=1)


@pytest.mark.parametrize(
    "deployments, limit",
    [
        ([{"litellm_params": {"rpm": 120}}], 2),
        ([{"rpm": 120}], 2),
        ([{"model_info": {"rpm": 120}}], 2),
        ([{"litellm_params": {"rpm": 120}, "rpm": 60, "model_info": {"rpm": 30}}], 2),
        ([{"litellm_params": {"rpm": None}, "rpm": 120}], 2),
        ([{"litellm_params": {"rpm": 0}, "model_info": {"rpm": 120}}], 2),
        ([{"litellm_params": {"rpm": -5}}], None),
        ([{"litellm_params": {"rpm": 0.5}}], 0.5 / 60),
        ([{"litellm_params": {"rpm": "120"}}], None),
        ([{"litellm_params": {"rpm": True}}], None),
        ([{"litellm_params": {}, "model_info": None}], None),
        ([deployment("a"), deployment("b", rpm=None)], None),  # one has none
        ([], None),
    ],
)
def test_a_limit_is_read_where_litellm_reads_it(deployments, limit):
    assert configured_limit(deployments) == limit


@pytest.mark.parametrize("seconds, rate", [(60, 5), (30, 10), (5, 60), (2, 60)])
def test_successes_are_counted_from_the_first_and_over_five_seconds_at_least(seconds, rate):
    forgotten = NOW - seconds + 60
    assert served_rate([(300, forgotten), (None, None)], NOW) == pytest.approx(rate)
    assert served_rate([(300, forgotten), (300, forgotten)], NOW) == pytest.approx(2 * rate)


@pytest.mark.parametrize(
    "counts",
    [[(300, NOW - 0.1)], [(300, None)], [(None, NOW + 30)], [("300", NOW + 30)], [(300, "x")], []],
)
def test_a_count_that_is_over_or_none_tells_no_rate(counts):
    assert served_rate(counts, NOW) is None


def test_the_rate_is_read_from_litellms_own_router_without_a_warning(monkeypatch, recwarn):
    from litellm.caching.in_memory_cache import InMemoryCache
    from litellm.proxy import proxy_server
    from litellm.router_utils.router_callbacks import track_deployment_metrics as metrics

    router = router_of(
        entry("a", rpm=600),
        entry("b", rpm=300),
        entry("c", "other", rpm=60),
        entry("d", "unlimited"),
    )
    monkeypatch.setattr(proxy_server, "llm_router", router)
    for _ in range(50):
        metrics.increment_deployment_successes_for_current_minute(router, "a")
        metrics.increment_deployment_successes_for_current_minute(router, "b")
    recwarn.clear()
    rate = known_rate("m")
    assert [warning for warning in recwarn if "Router." in str(warning.message)] == []
    assert rate.limit == pytest.approx(15)
    if hasattr(InMemoryCache, "allow_ttl_override"):
        assert rate.served == pytest.approx(100 / SHORTEST_SAMPLE, rel=0.1)
    else:  # those releases prolong the count with each success, so that it is no rate
        assert rate.served is None
    assert known_rate("unlimited") == known_rate("unknown") == KnownRate()
