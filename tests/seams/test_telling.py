"""From a refusal of LiteLLM's real classes to the wait that its client is told."""

from __future__ import annotations

import time
from unittest.mock import Mock

import pytest
from fastapi import HTTPException
from litellm_errors import BUDGET, PINNED, basic, below, budget, limit, rate_limit, refusal

from litellm_patch import metrics, options
from litellm_patch.seams.answer import telling
from litellm_patch.seams.refusal import spent_budget
from litellm_patch.wait import marks
from litellm_patch.wait.cooling import Cooling
from litellm_patch.wait.exception_chain import COOLING

NOW = 1000.0
OTHER = ValueError("x")


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Set options; the clocks stand still, and no client is waiting."""

    def setting(**values: str) -> None:
        for name in ("PACING", "MAX_WAIT", "WORKERS"):
            monkeypatch.delenv(f"LITELLM_PATCH_{name}", raising=False)
        for name, value in values.items():
            monkeypatch.setenv(f"LITELLM_PATCH_{name}", value)
        options.current.cache_clear()
        telling._teller.cache_clear()

    monkeypatch.setattr(time, "monotonic", lambda: NOW)
    monkeypatch.setattr(time, "time", lambda: NOW)
    setting()
    yield setting
    options.current.cache_clear()
    telling._teller.cache_clear()


def cooling(ready_in: float, model: str = "m", **known) -> Exception:
    error = refusal(model=model)
    marks.put(error, COOLING, Cooling(NOW + ready_in, model, **known))
    return error


def told(*errors: BaseException | None, message=None, **more) -> list[float | None]:
    found = [telling.tell(each, message, {}, "s", **more) for each in errors]
    return [each and each.seconds for each in found]


def test_clients_of_a_group_are_told_different_times_by_one_queue():
    waits = told(*[cooling(5.0) for _ in range(30)])
    assert (waits[0], len(set(waits))) == (5.0, 30)
    assert min(told(*[cooling(5.0) for _ in range(30)])) > max(waits)


@pytest.mark.parametrize(
    "setting, waits",
    [
        ({"PACING": "off"}, {5: 5, 10: 10, 75: 59, 90: 59}),
        ({"PACING": "off", "MAX_WAIT": "12"}, {5: 5, 10: 10, 15: 11.8}),
        ({"PACING": "off", "MAX_WAIT": "none"}, {5: 5, 90: 90}),
        ({"PACING": "1"}, {5: 5, 10: 10}),
    ],
)
def test_the_operators_options_decide(environment, setting, waits):
    environment(**setting)
    errors = [cooling(ready_in, str(ready_in)) for ready_in in waits]
    assert told(*errors) == pytest.approx([*waits.values()])
    second = 6 if setting["PACING"] == "1" else 5
    assert told(cooling(5, "5")) == [second]


@pytest.fixture
def known(monkeypatch):
    """What is found beside a limit, and of a limiter's window."""
    known = Mock(cooling=Mock(return_value=None), window=Mock(return_value=None))
    monkeypatch.setattr(telling, "cooling_beside_limit", known.cooling)
    monkeypatch.setattr(telling, "window_end", known.window)
    return known


def asked(known: Mock) -> list[BaseException]:
    """The errors that were asked about."""
    return [call.args[0] for call in known.mock_calls]


def test_beside_a_limit_another_deployment_may_be_ready_first(known):
    known.cooling.return_value = Cooling(NOW + 0.5, "m")
    error = below(basic(), limit())
    found = telling.tell(error, None, {"x": "y"}, "s")
    assert found.headers == {"x": "y", "retry-after": "1", "retry-after-ms": "500"}
    assert asked(known) == [error, error.__context__]
    assert marks.get(error, COOLING) is known.cooling.return_value
    told(error)
    assert len(asked(known)) == 2  # a limit with a mark is not asked about again


def limiters() -> HTTPException:
    return HTTPException(429, "limited", {"retry-after": "50"})


def test_only_limits_are_asked_about_and_each_for_what_ends_it(known, monkeypatch):
    monkeypatch.setattr(spent_budget, "_ends", {BUDGET: NOW + 45})
    spent, of_a_key, pinned = budget(), limiters(), rate_limit(PINNED)
    errors = spent, OTHER, cooling(5), below(of_a_key, below(cooling(5), OTHER)), pinned
    assert told(*errors)[0] == 45
    assert asked(known) == [spent, of_a_key, pinned]
    known.window.return_value, known.cooling.return_value = NOW + 40, Cooling(NOW + 30, "m")
    assert told(limiters(), pinned) == [40, 30]


def test_if_our_reading_fails_litellms_number_stands(known, lines):
    known.cooling.side_effect = known.window.side_effect = ZeroDivisionError("sk-secret-1234")
    assert told(limiters(), basic()) == [50, 60 - NOW % 60]
    assert [line.partition(":")[0] for line in lines] == [
        "the window of a limit cannot be read, LiteLLM's own number stands",
        "the cooldowns beside a limit cannot be read",
    ]


@pytest.fixture
def counted(monkeypatch):
    """The refusals that were counted."""
    calls: list[tuple] = []
    monkeypatch.setattr(metrics, "refused", lambda *call: calls.append(call))
    return calls


def test_a_providers_wait_is_told_only_on_request_and_counted_then(counted):
    error = rate_limit("overloaded", "openai")
    error.headers = {"retry-after": "17"}
    assert told(None, OTHER, error, message="overloaded") == [None, None, None]
    assert counted == []
    assert told(error, message="overloaded", forward_provider=True) == [17]
    assert counted == [("s", metrics.WAIT, 17)]


@pytest.mark.parametrize(
    "ready_in, counts",
    [(30, (metrics.WAIT, 30)), (90, (metrics.STEP, None)), (3600, (metrics.NOTHING, None))],
)
def test_a_refusal_is_counted_once_by_what_is_told(counted, ready_in, counts):
    error = cooling(ready_in)
    (seconds,) = told(error)
    kind, expected = counts
    told(error, below(ValueError("of the proxy"), error))
    assert counted == [("s", kind, seconds if kind == metrics.STEP else expected)]
    told(cooling(ready_in))
    assert len(counted) == 2


def test_an_error_that_takes_no_marks_does_not_hide_the_refusal(counted):
    class Stubborn(ValueError):
        def __setattr__(self, name, value):
            raise ZeroDivisionError

    top, error = Stubborn("x"), refusal()
    BaseException.__setattr__(top, "__context__", error)
    assert told(top, error) == [59.999, 59.999]
    assert len(counted) == 1
