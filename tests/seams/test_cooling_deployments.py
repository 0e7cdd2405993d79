"""What a refusal waits for, by what is known of its request, its router and their cooldowns."""

from __future__ import annotations

import sys
import time
from types import SimpleNamespace
from typing import Any

import pytest
from router_frames import CHOOSES, Router, function, nested, raised

from litellm_patch import log
from litellm_patch.seams.record import cooldown_cache
from litellm_patch.seams.record.asked_cooldowns import Asked
from litellm_patch.seams.record.cooldown_store import StoredCooldowns
from litellm_patch.seams.refusal import cooling_deployments
from litellm_patch.seams.refusal.cooling_deployments import cooling_beside_limit, cooling_of_refusal
from litellm_patch.wait.exception_chain import SHORTEST
from litellm_patch.wait.pacing import KnownRate
from litellm_patch.wait.shared_pacing import Waiting

CLOCK, NOW = 1_795_000_000.0, 5000.0
LASTS = 60.0
UNUSABLE = {"timestamp": "x", "cooldown_time": LASTS}


@pytest.fixture(autouse=True)
def said(monkeypatch):
    """What is said of failures of ours; the clocks stand still."""
    lines: list[str] = []
    monkeypatch.setattr(time, "time", lambda: CLOCK)
    monkeypatch.setattr(time, "monotonic", lambda: NOW)
    monkeypatch.setattr(cooling_deployments, "failed", lambda what, error: lines.append(what))
    return lines


def cooldowns(**left: object) -> StoredCooldowns:
    """By deployment id the seconds that its cooldown still lasts, or a record."""
    records = {
        name: {"timestamp": CLOCK - LASTS + each, "cooldown_time": LASTS}
        if isinstance(each, (int, float))
        else each
        for name, each in left.items()
    }
    return StoredCooldowns(SimpleNamespace(has_redis=True), records)


def router_of(*names: str, **left: object) -> Router:
    """A router with one group, whose cooldowns still last so many seconds."""
    router = Router(*({"model_info": {"id": each}, "rpm": 60} for each in names))
    router.cooldown_cache = cooldowns(**left)
    router.cache = SimpleNamespace(in_memory_cache=None)
    return router


def refusal(named: object = None, listed: object = ()) -> Any:
    """As much of LiteLLM's `RouterRateLimitError` as is looked at."""
    return SimpleNamespace(model="m", cooldown_deployments=named, cooldown_list=listed)


def refused(router: Any, error: Any = None, asked: Asked | None = None, **kwargs: Any) -> Any:
    """What is found for a refusal that `router` makes of a request with `kwargs`."""

    def make():
        return cooling_of_refusal(error or refusal(), asked, sys._getframe(1))

    return nested((function(CHOOSES), router, "m", kwargs), end=make)


def limit(*calls: tuple[Any, ...]) -> BaseException:
    """A limit of LiteLLM's, as it is raised in these functions."""
    error = ValueError("crossed budget")
    error.__traceback__ = raised(*calls)
    return error


def request(router: Any) -> tuple[Any, ...]:
    return function(CHOOSES), router, "m", {}


def ends(cooling: Any) -> float | None:
    """Seconds from now."""
    return cooling.ready_at and cooling.ready_at - NOW


def test_the_first_of_the_routers_deployments_decides():
    found = refused(router_of("b", "a", a=40, b=20, other=5))
    assert (ends(found), found.queue, found.cooldown) == (20, "a|b", LASTS)


def test_in_a_mixed_group_the_deployment_without_a_record_is_not_waited_for():
    found = refused(router_of("a", "b", "c", a=40, c=UNUSABLE))
    assert (ends(found), found.queue) == (40, "a|b|c")


def test_a_record_that_tells_nothing_leaves_litellms_own_number():
    assert refused(router_of("a", "b", a=UNUSABLE)) is None


def test_where_nothing_is_cooling_no_wait_is_known():
    found = refused(router_of("a", "b", other=5))
    assert (found.ready_at, found.queue) == (None, "a|b")


@pytest.mark.parametrize("listed", [["a"], [("a", {"cooldown_time": 1})], ["x", "a"]])
def test_a_cooldown_that_ended_while_litellm_refused_is_the_shortest(listed):
    found = refused(router_of("a", "b"), refusal(listed=listed))
    assert (found.ready_at, found.queue) == (NOW + SHORTEST, "a|b")


@pytest.mark.parametrize("listed", [["x"], [()], [5], None, 5, [("x", "a")]])
def test_a_cooldown_of_others_did_not_end_for_this_request(listed):
    assert refused(router_of("a", "b"), refusal(listed=listed)).ready_at is None


def test_a_refusal_without_a_list_is_one():
    error = refusal()
    del error.cooldown_list
    assert refused(router_of("a"), error).ready_at is None


def test_the_deployments_that_the_refusal_names_go_before_those_of_the_router():
    router = router_of("a", "b", a=40, b=20)
    found = refused(router, refusal(named=[{"model_id": "a"}, "no deployment"]))
    assert (ends(found), found.queue) == (40, "a")
    none = refused(router, refusal(named=[]))
    assert (none.ready_at, none.queue) == (None, "m")


def asked_for(*model_ids: str, **left: object) -> Asked:
    return Asked(cooldowns(**left), model_ids, 60, 0)


def test_what_was_asked_counts_where_the_request_cannot_be_read():
    own = function("then")
    find = cooling_of_refusal

    def make(asked):
        return nested((own,), end=lambda: find(refusal(), asked, sys._getframe(1)))

    found = make(asked_for("a", "b", a=40, b=20))
    assert (ends(found), found.queue) == (20, "a|b")
    assert make(asked_for("a", other=5)) is None  # these ids may be too many, or none
    assert make(None) is None


def test_the_cooldowns_that_were_asked_go_before_those_of_the_router():
    assert ends(refused(router_of("a", a=40), asked=asked_for("b", a=20))) == 20


def test_a_refusal_of_no_known_router_is_left_alone(said):
    named = refusal(named=[{"model_id": "a"}])
    assert cooling_of_refusal(named, None, None) is None
    assert cooling_of_refusal(refusal(), None, None) is None
    without_cooldowns = router_of("a")
    del without_cooldowns.cooldown_cache
    assert refused(without_cooldowns) is None
    assert said == []


def test_a_router_that_does_not_know_the_name_is_reported(said):
    router = router_of("a", a=40)
    router._common_checks_available_deployment = lambda model: 1 / 0
    assert refused(router) is None
    assert ends(refused(router, asked=asked_for("b", b=20))) == 20
    assert set(said) == {"the deployments of a refused request cannot be read"}


def test_from_1_109_1_on_the_router_has_its_cooldowns_elsewhere():
    router = router_of("a", a=40)
    router._core_cooldown_cache = cooldowns(a=20)
    assert ends(refused(router)) == 20


HEADERS = {"User-Agent": "OpenAI/Python 2.60.0"}


@pytest.mark.parametrize(
    "sent, honoured",
    [
        ({"headers": HEADERS}, 120),
        ({"headers": {}}, None),
        ({"headers": [*HEADERS.items()]}, None),
        ({}, None),
        ("text", None),
        (None, None),
    ],
)
def test_the_client_is_known_by_what_it_sent(sent, honoured):
    found = refused(router_of("a", a=40), proxy_server_request=sent)
    assert (ends(found), found.honoured) == (40, honoured)


def test_a_request_that_cannot_be_read_has_an_unknown_client():
    own = function("then")

    def make():
        return cooling_of_refusal(refusal(), asked_for("a", a=40), sys._getframe(1))

    assert nested((own,), end=make).honoured is None


def test_the_rate_is_that_of_the_routers_deployments():
    assert refused(router_of("a", "b", a=40)).rate() == KnownRate(limit=2)


def test_without_the_router_the_rate_is_that_of_the_proxys_group(monkeypatch):
    group = {"model_name": "m", "rpm": 600}
    proxy = SimpleNamespace(
        llm_router=SimpleNamespace(model_list=[group], cache=SimpleNamespace(in_memory_cache=None))
    )
    monkeypatch.setitem(sys.modules, "litellm.proxy.proxy_server", proxy)
    named = refusal(named=[{"model_id": "a"}])
    assert refused(router_of(a=40), named).rate() == KnownRate(limit=10)


def test_a_router_whose_rate_cannot_be_read_has_an_unknown_one(monkeypatch):
    monkeypatch.setattr(log, "_said", {})
    router = router_of("a", a=40)
    del router.cache
    assert refused(router).rate() == KnownRate()


WAITING = Waiting(NOW + 40, LASTS, 60.0, KnownRate())


@pytest.fixture
def queues(monkeypatch):
    """The Redis of each place that was asked for, with its queue; the place is 50 s from now."""
    asked: list[tuple[object, str]] = []

    def place(redis, queue, waiting):
        assert waiting is WAITING
        asked.append((redis, queue))
        return NOW + 50

    monkeypatch.setattr(cooling_deployments, "_queues", SimpleNamespace(place=place))
    return asked


def in_python(redis: object) -> SimpleNamespace:
    """A `CooldownCache` of releases whose router is in Python, with a cooldown of `a`."""
    record = {"timestamp": CLOCK, "cooldown_time": LASTS}
    memory = SimpleNamespace(cache_dict={"deployment:a:cooldown": record}, ttl_dict={})
    return SimpleNamespace(cache=SimpleNamespace(in_memory_cache=memory, redis_cache=redis))


def test_a_place_is_asked_for_in_the_redis_of_the_cooldowns(queues, monkeypatch):
    monkeypatch.setattr(cooldown_cache, "_own", {"deployment:a:cooldown": CLOCK})
    router, redis = router_of("a", "b"), object()
    router.cooldown_cache = in_python(redis)
    router.cache.redis_cache = "another"
    assert refused(router).shared_place(WAITING) == NOW + 50
    assert queues == [(redis, "a|b")]


def test_a_place_is_asked_for_in_the_redis_of_the_router_where_the_cooldowns_are_in_rust(queues):
    router, redis = router_of("a", "b", a=40), object()
    router.cache.redis_cache = redis
    assert refused(router).shared_place(WAITING) == NOW + 50
    assert queues == [(redis, "a|b")]


def test_without_the_router_of_the_request_it_is_the_one_of_the_proxy(queues, said, monkeypatch):
    redis = object()
    proxy = SimpleNamespace(
        llm_router=SimpleNamespace(cache=SimpleNamespace(redis_cache=redis), model_list=[])
    )
    named = refused(router_of(a=40), refusal(named=[{"model_id": "a"}]))
    monkeypatch.setitem(sys.modules, "litellm.proxy.proxy_server", SimpleNamespace())
    assert named.shared_place(WAITING) is None
    monkeypatch.setitem(sys.modules, "litellm.proxy.proxy_server", proxy)
    assert named.shared_place(WAITING) == NOW + 50
    assert queues == [(redis, "a")]
    assert said == []


@pytest.mark.parametrize("where", ["python", "rust"])
def test_without_a_redis_no_place_is_asked_for(where, queues, said):
    router = router_of("a", "b", a=40)
    router.cache.redis_cache = None
    if where == "python":
        router.cooldown_cache = in_python(None)
    assert refused(router).shared_place(WAITING) is None
    assert queues == said == []


def test_a_router_without_a_place_for_its_redis_is_reported(queues, said):
    assert refused(router_of("a", a=40)).shared_place(WAITING) is None
    assert said == ["the queue of all proxies cannot be used, each has its own"]


def test_a_router_in_rust_has_its_cooldowns_elsewhere():
    router = router_of("a")
    del router.cooldown_cache
    router._cooldowns = cooldowns(a=20)
    assert ends(refused(router)) == 20


def test_a_limit_beside_a_cooldown_knows_when_that_ends(said):
    found = cooling_beside_limit(limit(request(router_of("a", "b", a=40))))
    assert (ends(found), found.queue, found.cooldown) == (40, "a|b", LASTS)
    assert found.honoured is None
    assert said == []


def test_a_limit_where_nothing_is_cooling_stands_alone(said):
    assert cooling_beside_limit(limit(request(router_of("a", "b")))) is None
    assert cooling_beside_limit(limit(request(router_of("a", a=UNUSABLE)))) is None
    assert cooling_beside_limit(limit((function("then"),))) is None
    without_cooldowns = router_of("a")
    del without_cooldowns.cooldown_cache
    assert cooling_beside_limit(limit(request(without_cooldowns))) is None
    assert said == []


def test_a_limit_of_a_router_that_does_not_know_the_name_stands_alone(said):
    router = router_of("a", a=40)
    router._common_checks_available_deployment = lambda model: 1 / 0
    assert cooling_beside_limit(limit(request(router))) is None
    assert len(said) == 1


def pinned(*calls: tuple[Any, ...]) -> BaseException:
    """LiteLLM's refusal of a follow-up that is bound to a deployment."""
    from litellm.exceptions import RateLimitError

    text = "The deployment that produced this encrypted_content is cooling down."
    error = RateLimitError(text, llm_provider="", model="m")
    error.__traceback__ = raised(*calls)
    return error


def check(router: Any, model_id: str) -> tuple[Any, ...]:
    return function("self, model_id, then"), SimpleNamespace(router=router), model_id


def test_a_follow_up_waits_for_the_deployment_that_it_is_bound_to():
    router = router_of("a", "b", a=40, b=20)
    found = cooling_beside_limit(pinned(request(router), check(router, "a")))
    assert (ends(found), found.queue, found.cooldown) == (40, "a", LASTS)
    none = cooling_beside_limit(pinned(check(router, "c")))
    assert (none.ready_at, none.queue) == (None, "c")


def test_a_follow_up_that_is_bound_to_something_unknown_waits_for_nothing():
    assert cooling_beside_limit(pinned(request(router_of("a", a=40)))) is None
    without_cooldowns = router_of("a")
    del without_cooldowns.cooldown_cache
    assert cooling_beside_limit(pinned(check(without_cooldowns, "a"))) is None
