"""From a refusal to the wait that is told, at LiteLLM's real classes and its real router."""

from __future__ import annotations

import time
from functools import partial
from types import SimpleNamespace

import pytest

from litellm_patch import metrics, options
from litellm_patch.seams.answer import telling
from litellm_patch.seams.record import group_rate
from litellm_patch.seams.refusal import cooling_deployments
from litellm_patch.wait import marks
from litellm_patch.wait.cooling import Cooling
from litellm_patch.wait.exception_chain import COOLING
from litellm_patch.wait.limits import WINDOW_END
from litellm_patch.wait.tell import PLACE

NOW = 1000.0


def forget():
    """Read the environment anew, and begin with no queue."""
    options.current.cache_clear()
    telling._teller.cache_clear()


@pytest.fixture
def told(monkeypatch):
    """Seconds that refusals are told under some options; each one is handled like LiteLLM's."""

    def tell(*errors: Exception, **environment: str) -> list[float | None]:
        for name in ("PACING", "MAX_WAIT", "WORKERS"):
            monkeypatch.delenv(f"LITELLM_PATCH_{name}", raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(f"LITELLM_PATCH_{name}", value)
        forget()
        teller = telling._teller()
        return [teller.tell(each, None, {}, now=NOW, clock=NOW).seconds for each in errors]

    yield tell
    forget()


def refusal(ready_in: float | None = 5.0, model: str = "m", cooldown_time: float = 60):
    from litellm.types.router import RouterRateLimitError

    error = RouterRateLimitError(
        model=model, cooldown_time=cooldown_time, enable_pre_call_checks=False, cooldown_list=[]
    )
    if ready_in is not None:
        marks.put(error, COOLING, Cooling(NOW + ready_in, model))
    return error


def test_clients_of_a_group_are_told_different_times(told):
    waits = told(*[refusal() for _ in range(30)])
    assert waits[0] == 5.0
    assert len(set(waits)) == 30
    assert min(waits) == 5.0


def test_pacing_can_be_turned_off(told):
    assert set(told(*[refusal() for _ in range(5)], PACING="off")) == {5.0}


def test_the_same_refusal_has_one_place(told):
    same = refusal()
    assert told(same, refusal(), same)[::2] == [5.0, 5.0]


def test_a_refusal_without_a_known_end_is_told_as_it_is(told):
    assert told(refusal(None), refusal(None)) == [59.999, 59.999]


def test_the_group_that_is_ready_first_gives_the_place(told):
    error = refusal(30, "slow")
    error.__context__ = refusal(2, "fast")
    assert told(error, refusal(2, "fast"))[0] == 2
    assert told(error, refusal(30, "slow"))[1] == 30


def test_a_limit_that_ends_before_the_cooldown_is_told_as_it_is(told):
    from litellm.types.router import RouterRateLimitErrorBasic

    ends_in = 60 - NOW % 60
    waits = told(*[below(RouterRateLimitErrorBasic("m"), refusal(90)) for _ in range(3)])
    assert waits == [ends_in] * 3


def below(top: Exception, error: Exception) -> Exception:
    top.__context__ = error
    return top


def test_a_refusal_deep_in_a_chain_that_is_not_told_takes_no_place(told):
    from litellm.types.router import RouterRateLimitErrorBasic

    told()
    old = refusal(5)
    error = below(RouterRateLimitErrorBasic("other"), old)
    telling._teller().tell(error, "a message of something else", {}, now=NOW, clock=NOW)
    assert marks.get(old, PLACE) is None


def test_no_client_is_told_more_than_it_acts_on(told):
    assert told(refusal(90), refusal(10), PACING="off") == [59, 10]
    assert told(refusal(15), refusal(10), MAX_WAIT="12", PACING="off") == pytest.approx([11.8, 10])
    assert told(refusal(90), MAX_WAIT="none", PACING="off") == [90]


def test_a_known_client_is_told_what_it_acts_on(told):
    def known():
        error = refusal(75)
        marks.put(error, COOLING, Cooling(NOW + 75, "m", honoured=120))
        return error

    assert told(known(), refusal(75), PACING="off") == [75, 59]
    assert told(known(), MAX_WAIT="60", PACING="off") == [59]
    waits = told(*[known() for _ in range(60)])
    assert len(set(waits)) == 60
    assert min(waits) == 75
    assert max(waits) <= 120


def test_with_a_largest_wait_clients_are_told_different_times_all_the_same(told):
    waits = told(*[refusal(10) for _ in range(30)], MAX_WAIT="12")
    assert len(set(waits)) == 30
    assert max(waits) <= 12


def test_what_is_out_of_reach_takes_no_place(told):
    hour = refusal(3600)
    assert told(hour, refusal(5)) == [3600, 5]
    assert marks.get(hour, PLACE) is None
    native = {"retry-after": "60"}
    headers = telling._teller().tell(hour, None, native, now=NOW, clock=NOW).headers
    assert headers == {"x-should-retry": "false"}


def test_behind_a_long_cooldown_clients_are_told_to_come_back_before_its_end(told):
    waits = told(*[refusal(90) for _ in range(30)])
    assert all(30 <= wait <= 60 for wait in waits)
    assert len(set(waits)) == 30


def test_a_bad_option_is_said_once_and_ignored(told, caplog):
    from litellm_patch import log

    log._said.clear()
    assert told(refusal(), refusal(), PACING="fast") == told(refusal(), refusal())
    assert [record.message for record in caplog.records if "PACING" in record.message] == [
        "LITELLM_PATCH_PACING is not auto, off or a rate above 0: auto is used"
    ]


def limit():
    from litellm.types.router import RouterRateLimitErrorBasic

    return RouterRateLimitErrorBasic("m")


def limiters(headers=None):
    from fastapi import HTTPException

    return HTTPException(429, "limited", headers)


@pytest.fixture
def beside(monkeypatch):
    """Let these be cooling beside a limit; which limits were asked about."""
    asked: list[BaseException] = []

    def cooling_beside(error):
        asked.append(error)
        if isinstance(beside.found, Exception):
            raise beside.found
        return beside.found

    beside = SimpleNamespace(found=None, asked=asked)
    monkeypatch.setattr(telling, "cooling_beside_limit", cooling_beside)
    return beside


def test_beside_a_limit_another_deployment_may_be_ready_first(beside, told):
    told()
    beside.found = Cooling(time.monotonic() + 0.5, "m")
    error, below_it = limit(), limit()
    error.__context__ = below_it
    found = telling.tell(error, None, {"x": "y"}, "s")
    assert 0 < found.seconds <= 0.5
    assert found.headers == {
        "x": "y",
        "retry-after": "1",
        "retry-after-ms": found.headers["retry-after-ms"],
    }
    assert beside.asked == [error, below_it]
    assert marks.get(error, COOLING) is beside.found


def test_what_a_limit_is_marked_with_already_is_not_asked_again(beside, told):
    told()
    error = limit()
    known = Cooling(time.monotonic() + 0.5, "m")
    marks.put(error, COOLING, known)
    telling.tell(error, None, {}, "s")
    assert (beside.asked, marks.get(error, COOLING)) == ([], known)


def test_only_limits_are_asked_about(beside, told):
    told()
    for error in (ValueError("x"), limiters(), refusal(5)):
        telling.tell(error, None, {}, "s")
    assert beside.asked == []


def test_a_follow_up_that_is_bound_to_a_deployment_waits_for_it(beside, told):
    from litellm.exceptions import RateLimitError

    told()
    error = RateLimitError(
        "The deployment that produced this encrypted_content is cooling", llm_provider="", model="m"
    )
    beside.found = Cooling(time.monotonic() + 50, "m")
    assert 0 < telling.tell(error, None, {}, "s").seconds <= 50


def test_cooldowns_that_cannot_be_read_leave_the_limit(beside, told, lines):
    told()
    beside.found = ZeroDivisionError("sk-secret-1234")
    error = limit()
    assert 0 < telling.tell(error, None, {}, "s").seconds <= 60
    assert marks.get(error, COOLING) is None
    assert ["cooldowns beside a limit" in line.getMessage() for line in lines] == [True]


@pytest.mark.parametrize("ends_in", [40.0, None])
def test_a_limit_of_a_key_ends_with_its_window(monkeypatch, told, ends_in):
    told()
    end = None if ends_in is None else time.time() + ends_in
    monkeypatch.setattr(telling, "window_end", lambda error, clock: end)
    error = limiters({"retry-after": "50"})
    seconds = telling.tell(error, None, {}, "s").seconds
    assert marks.get(error, WINDOW_END) == end
    assert seconds == 50 if ends_in is None else 0 < seconds <= 40


def test_only_what_a_limiter_refused_has_a_window(monkeypatch, told):
    told()
    asked: list[BaseException] = []
    monkeypatch.setattr(telling, "window_end", lambda error, clock: asked.append(error))
    error = below(limiters({"retry-after": "50"}), refusal(5))
    error.__context__.__context__ = ValueError("x")
    telling.tell(error, None, {}, "s")
    assert asked == [error]


def test_a_window_that_cannot_be_read_leaves_litellms_number(monkeypatch, told, lines):
    told()

    def window_end(error, clock):
        raise ZeroDivisionError

    monkeypatch.setattr(telling, "window_end", window_end)
    assert telling.tell(limiters({"retry-after": "50"}), None, {}, "s").seconds == 50
    assert ["window of a limit" in line.getMessage() for line in lines] == [True]


def test_who_does_not_refuse_tells_nothing(told):
    told()
    assert telling.tell(None, None, {}, "s") is None
    assert telling.tell(ValueError("x"), None, {}, "s") is None


def test_a_providers_own_wait_is_forwarded_only_if_somebody_asks_for_it(told):
    from litellm.exceptions import RateLimitError

    told()
    error = RateLimitError("overloaded", llm_provider="openai", model="m")
    error.headers = {"retry-after": "17"}
    assert telling.tell(error, "overloaded", {}, "s") is None
    assert telling.tell(error, "overloaded", {}, "s", forward_provider=True).seconds == 17


@pytest.fixture
def counted(monkeypatch):
    """The refusals that were counted."""
    calls: list[tuple] = []
    monkeypatch.setattr(metrics, "refused", lambda *call: calls.append(call))
    return calls


@pytest.mark.parametrize(
    "ready_in, kind", [(30, metrics.WAIT), (90, metrics.STEP), (3600, metrics.NOTHING)]
)
def test_a_refusal_is_counted_by_what_is_told(counted, told, ready_in, kind):
    told()
    error = refusal()
    marks.put(error, COOLING, Cooling(time.monotonic() + ready_in, "m"))
    found = telling.tell(error, None, {}, "who asks")
    seconds = None if kind == metrics.NOTHING else found.seconds
    assert counted == [("who asks", kind, seconds)]


def test_a_refusal_is_counted_once(counted, told):
    told()
    error = refusal()
    for each in (error, below(ValueError("of the proxy"), error), error):
        telling.tell(each, None, {}, "s")
    assert len(counted) == 1
    telling.tell(refusal(), None, {}, "s")
    assert len(counted) == 2


def test_an_error_that_takes_no_marks_does_not_hide_the_refusal(counted, told):
    class Stubborn(ValueError):
        def __setattr__(self, name, value):
            raise ZeroDivisionError

    told()
    top, error = Stubborn("x"), refusal(None)
    BaseException.__setattr__(top, "__context__", error)
    assert telling.tell(top, None, {}, "s").seconds == 59.999
    telling.tell(error, None, {}, "s")
    assert len(counted) == 1


def test_what_is_no_refusal_is_not_counted(counted, told):
    told()
    for error in (None, ValueError("x")):
        telling.tell(error, None, {}, "s")
    assert counted == []


def test_each_process_has_one_queue(told):
    told()
    assert telling._teller() is telling._teller()


@pytest.fixture
def router(monkeypatch):
    """A real router as the proxy holds it, with a group whose deployments have limits."""
    import litellm
    from litellm.proxy import proxy_server

    def make(*rpm: int | None):
        model_list = [
            {
                "model_name": name,
                "litellm_params": {
                    "model": "openai/x",
                    "api_key": "not-a-key",
                    **({} if limit is None else {"rpm": limit}),
                },
                "model_info": {"id": f"{name}-{number}"},
            }
            for name in ("m", "other")
            for number, limit in enumerate(rpm)
        ]
        built = litellm.Router(model_list=model_list)
        monkeypatch.setattr(proxy_server, "llm_router", built)
        return built

    return make


def test_the_configured_limits_of_a_group_add_up(router):
    router(600, 300)
    assert group_rate.known_rate("m").limit == pytest.approx(15)


def test_a_deployment_without_a_limit_leaves_the_group_without_one(router):
    router(600, None)
    assert group_rate.known_rate("m").limit is None


def test_what_the_router_counted_is_read_from_its_memory(router):
    from litellm.router_utils.router_callbacks import track_deployment_metrics as metrics

    built = router(None, None)
    for _ in range(50):
        metrics.increment_deployment_successes_for_current_minute(built, "m-0")
        metrics.increment_deployment_successes_for_current_minute(built, "m-1")
    served = group_rate.known_rate("m").served
    from litellm.caching.in_memory_cache import InMemoryCache

    if hasattr(InMemoryCache, "allow_ttl_override"):
        assert served == pytest.approx(100 / group_rate.SHORTEST_SAMPLE, rel=0.1)
    else:  # those releases prolong the count with each success, so that it is no rate
        assert served is None
    assert group_rate.known_rate("unknown").served is None


def test_reading_the_router_warns_of_nothing(router, recwarn):
    router(600, 300)
    recwarn.clear()
    group_rate.known_rate("m")
    assert [warning for warning in recwarn if "Router." in str(warning.message)] == []


def test_a_count_over_a_minute_is_a_rate():
    now = time.time()
    assert group_rate.served_rate([(600, now + 30), (300, now + 30)], now) == pytest.approx(30)
    assert group_rate.served_rate([(600, now - 1), (None, None), (True, now)], now) is None


def test_a_router_that_looks_different_is_no_harm(monkeypatch, told):
    from litellm.proxy import proxy_server

    monkeypatch.setattr(proxy_server, "llm_router", object())
    error = refusal(None)
    rate = partial(cooling_deployments._rate, cooling_deployments._Refused(("a",), True), "m")
    marks.put(error, COOLING, Cooling(NOW + 5, "m", rate=rate))
    assert told(error) == [5.0]
