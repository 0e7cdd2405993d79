"""Which cooldown a refusal waits for, given its request, its router and their cooldowns."""

from __future__ import annotations

import sys
import time
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock, call

import pytest
from litellm_errors import PINNED, rate_limit
from router_frames import CHOOSES, Router, function, nested, raised

from litellm_patch.seams.record import cooldown_cache
from litellm_patch.seams.record.asked_cooldowns import Asked
from litellm_patch.seams.record.cooldown_store import StoredCooldowns
from litellm_patch.seams.refusal import cooling_deployments
from litellm_patch.seams.refusal.cooling_deployments import cooling_beside_limit, cooling_of_refusal
from litellm_patch.wait.exception_chain import SHORTEST
from litellm_patch.wait.known_rate import KnownRate
from litellm_patch.wait.shared_pacing import Waiting

CLOCK, NOW = 1_795_000_000.0, 5000.0
LASTS = 60.0
UNUSABLE = {"timestamp": "x", "cooldown_time": LASTS}
NAMES_A = [{"model_id": "a"}]


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


def blind(router: Router) -> Router:
    """The router, without its cooldowns."""
    del router.cooldown_cache
    return router


def ignorant(router: Router) -> Router:
    """The router, which does not know the name."""
    router._common_checks_available_deployment = lambda model: 1 / 0
    return router


def refusal(named: object = None, listed: object = ()) -> Any:
    """As much of LiteLLM's `RouterRateLimitError` as is looked at."""
    return SimpleNamespace(model="m", cooldown_deployments=named, cooldown_list=listed)


def refused(router: Any, error: Any = None, asked: Asked | None = None, **kwargs: Any) -> Any:
    """What is found for a refusal that `router` makes of a request with `kwargs`."""

    def make():
        return cooling_of_refusal(error or refusal(), asked, sys._getframe(1))

    if router is None:
        return nested((function("then"),), end=make)
    return nested((function(CHOOSES), router, "m", kwargs), end=make)


def asked_for(*model_ids: str, **left: object) -> Asked:
    return Asked(cooldowns(**left), model_ids, 60, 0)


def of(cooling: Any) -> Any:
    """The seconds to the end, and whose cooldowns they are of."""
    if cooling is None:
        return None
    return cooling.ready_at and cooling.ready_at - NOW, cooling.queue


ENDED = pytest.approx(SHORTEST)


@pytest.mark.parametrize(
    "router, error, asked, found",
    [
        # The first of the router's deployments decides.
        (router_of("b", "a", a=40, b=20, other=5), refusal(), None, (20, "a|b")),
        # Nobody waits for a deployment without a record or with an unusable one.
        (router_of("a", "b", "c", a=40, c=UNUSABLE), refusal(), None, (40, "a|b|c")),
        (router_of("a", "b", a=UNUSABLE), refusal(), None, None),
        (router_of("a", "b", other=5), refusal(), None, (None, "a|b")),
        # A cooldown that ended while LiteLLM refused; up to 1.75 each comes with its record.
        (router_of("a1", "b"), refusal(listed=["x", "a1"]), None, (ENDED, "a1|b")),
        (router_of("a", "b"), refusal(listed=[("a", {"x": 1})]), None, (ENDED, "a|b")),
        (router_of("a", "b"), refusal(listed=["x", ("x", "a")]), None, (None, "a|b")),
        # The deployments that the refusal names go before those of the router.
        (router_of("a", "b", a=40, b=20), refusal(NAMES_A), None, (40, "a")),
        (router_of("a", "b", a=40, b=20), refusal(named=[]), None, (None, "m")),
        # What was asked counts where the request cannot be read, or its router.
        (None, refusal(), asked_for("a", "b", a=40, b=20), (20, "a|b")),
        (None, refusal(), asked_for("a", other=5), None),  # these ids may be too many, or none
        (None, refusal(), None, None),
        (None, refusal(NAMES_A), None, None),
        (router_of("a", a=40), refusal(), asked_for("b", a=20), (20, "a")),
        (blind(router_of("a", a=40)), refusal(), None, None),
    ],
)
def test_the_first_of_the_requests_deployments_decides(router, error, asked, found, said):
    assert of(refused(router, error, asked)) == found
    assert said == []


@pytest.mark.parametrize("place", ["_core_cooldown_cache", "_cooldowns"])
def test_a_newer_router_has_its_cooldowns_elsewhere(place):
    router = router_of("a", a=40)
    if place == "_cooldowns":  # in Rust
        del router.cooldown_cache
    setattr(router, place, cooldowns(a=20))
    assert of(refused(router)) == (20, "a")


HEADERS = {"User-Agent": "OpenAI/Python 2.60.0"}


@pytest.mark.parametrize(
    "sent, honoured",
    [
        ({"headers": HEADERS}, 120),
        ({"headers": [*HEADERS.items()]}, None),
        ("text", None),
    ],
)
def test_the_client_is_known_by_what_it_sent(sent, honoured):
    found = refused(router_of("a", a=40), proxy_server_request=sent)
    assert (found.cooldown, found.honoured) == (LASTS, honoured)
    assert refused(None, asked=asked_for("a", a=40)).honoured is None


@pytest.fixture
def proxys(monkeypatch):
    """The proxy's router, which is not that of the request."""
    cache = SimpleNamespace(in_memory_cache=None, redis_cache=object())
    router = SimpleNamespace(model_list=[{"model_name": "m", "rpm": 600}], cache=cache)
    module = SimpleNamespace(llm_router=router)
    monkeypatch.setitem(sys.modules, "litellm.proxy.proxy_server", module)
    return module


def test_the_rate_is_that_of_the_routers_deployments_or_of_the_proxys_group(proxys, lines):
    assert refused(router_of("a", "b", a=40)).rate() == KnownRate(limit=2)
    assert refused(router_of(a=40), refusal(NAMES_A)).rate() == KnownRate(limit=10)
    unreadable = router_of("a", a=40)
    del unreadable.cache
    assert refused(unreadable).rate() == KnownRate()


WAITING = Waiting(NOW + 40, LASTS, 60.0, KnownRate())


@pytest.fixture
def place(monkeypatch):
    """Gives a place 50 s from now."""
    place = Mock(return_value=NOW + 50)
    monkeypatch.setattr(cooling_deployments, "_queues", SimpleNamespace(place=place))
    return place


@pytest.mark.parametrize("redis", [object(), None])
@pytest.mark.parametrize("where", ["in Python", "in Rust"])
def test_a_place_is_asked_for_in_the_redis_of_the_routers_cooldowns(
    place, said, monkeypatch, where, redis
):
    router = router_of("a", "b", a=40)
    router.cache.redis_cache = redis
    if where == "in Python":
        record = {"timestamp": CLOCK, "cooldown_time": LASTS}
        memory = SimpleNamespace(cache_dict={"deployment:a:cooldown": record}, ttl_dict={})
        cache = SimpleNamespace(in_memory_cache=memory, redis_cache=redis)
        router.cooldown_cache = SimpleNamespace(cache=cache)
        router.cache.redis_cache = "another"
        monkeypatch.setattr(cooldown_cache, "_own", {"deployment:a:cooldown": CLOCK})
    assert refused(router).shared_place(WAITING) == (redis and NOW + 50)
    assert place.mock_calls == ([call(redis, "a|b", WAITING)] if redis else [])
    assert said == []


def test_without_the_router_of_the_request_it_is_the_one_of_the_proxy(place, said, proxys):
    found = refused(router_of(a=40), refusal(NAMES_A))
    assert found.shared_place(WAITING) == NOW + 50
    place.assert_called_once_with(proxys.llm_router.cache.redis_cache, "a", WAITING)
    del proxys.llm_router
    assert found.shared_place(WAITING) is None
    assert said == []


def test_a_router_without_a_place_for_its_redis_is_reported(place, said):
    assert refused(router_of("a", a=40)).shared_place(WAITING) is None
    assert said == ["the queue of all proxies cannot be used, each has its own"]


def limit(*calls: tuple[Any, ...], error: BaseException | None = None) -> BaseException:
    """A limit of LiteLLM's, as it is raised in these functions."""
    error = error or ValueError("crossed budget")
    error.__traceback__ = raised(*calls)
    return error


def request(router: Any) -> tuple[Any, ...]:
    return function(CHOOSES), router, "m", {}


def check(router: Any, model_id: str) -> tuple[Any, ...]:
    return function("self, model_id, then"), SimpleNamespace(router=router), model_id


TWO = router_of("a", "b", a=40, b=20)


@pytest.mark.parametrize(
    "error, calls, found",
    [
        # Beside a limit another deployment may be cooling.
        (None, [request(router_of("a", "b", a=40))], (40, "a|b")),
        (None, [request(router_of("a", "b"))], None),
        (None, [request(router_of("a", a=UNUSABLE))], None),
        (None, [request(blind(router_of("a")))], None),
        (None, [(function("then"),)], None),
        # A follow-up waits for the deployment that it is bound to.
        (rate_limit(PINNED), [request(TWO), check(TWO, "a")], (40, "a")),
        (rate_limit(PINNED), [check(TWO, "c")], (None, "c")),
        (rate_limit(PINNED), [request(TWO)], None),
        (rate_limit(PINNED), [check(blind(router_of("a")), "a")], None),
    ],
)
def test_a_limit_waits_for_the_cooldown_beside_it_or_of_its_own_deployment(
    said, error, calls, found
):
    assert of(cooling_beside_limit(limit(*calls, error=error))) == found
    assert said == []


def test_a_router_that_does_not_know_the_name_is_reported(said):
    router = ignorant(router_of("a", a=40))
    assert refused(router) is None
    assert of(refused(router, asked=asked_for("b", b=20))) == (20, "b")
    assert said == ["the deployments of a refused request cannot be read"] * 2
    assert cooling_beside_limit(limit(request(router))) is None
    assert len(said) == 3
