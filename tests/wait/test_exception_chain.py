"""Which exception of a chain decides the wait."""

from __future__ import annotations

import copy
import math
import pickle
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_patch import retry_after
from litellm_patch.wait import marks
from litellm_patch.wait.cooling import Cooling
from litellm_patch.wait.exception_chain import COOLING, NO_DEPLOYMENTS, find_refusal, related
from litellm_patch.wait.pacing import KnownRate

RouterRateLimitError = type(
    "RouterRateLimitError", (ValueError,), {"__module__": "litellm.types.router"}
)
NOW = 1000.0


def refusal(cooldown_time: object = 60, **attributes: object) -> Exception:
    error = RouterRateLimitError(f"{NO_DEPLOYMENTS} for selected model")
    for name, value in {"cooldown_time": cooldown_time, **attributes}.items():
        setattr(error, name, value)
    return error


def ends(error: Exception, ready_at: float | None) -> Exception:
    marks.put(error, COOLING, Cooling(ready_at, "m"))
    return error


def below(error: BaseException, top: str = "top") -> Exception:
    outer = RuntimeError(top)
    outer.__context__ = error
    return outer


def test_the_refusal_itself_tells_its_cooldown():
    assert find_refusal(refusal(60), "whatever", NOW).seconds == 60


def test_an_error_that_is_no_refusal_tells_nothing():
    assert find_refusal(ValueError("rate limit"), f"{NO_DEPLOYMENTS} …", NOW) is None
    assert find_refusal(None, NO_DEPLOYMENTS, NOW) is None


def test_a_class_of_the_same_name_from_elsewhere_is_no_refusal():
    stranger = type("RouterRateLimitError", (Exception,), {"__module__": "mine"})()
    stranger.cooldown_time = 60
    assert retry_after(stranger) is None


def test_a_subclass_is_a_refusal():
    error = type("Special", (RouterRateLimitError,), {})("x")
    error.cooldown_time = 5
    assert retry_after(error) == 5


def test_a_deeper_refusal_counts_if_the_message_says_so():
    assert find_refusal(below(refusal(9)), f"{NO_DEPLOYMENTS} …", NOW).seconds == 9


def test_an_old_refusal_below_an_unrelated_failure_does_not_count():
    assert find_refusal(below(refusal(9)), "the provider is overloaded", NOW) is None


def test_with_several_groups_the_first_to_be_ready_decides():
    error = refusal(60)
    error.__context__ = refusal(5)
    error.__context__.__cause__ = refusal(30)
    assert find_refusal(error, None, NOW).seconds == 5


def test_a_wait_of_zero_is_shorter_than_any_other():
    error = refusal(0.5)
    error.__context__ = refusal(0)
    assert find_refusal(error, None, NOW).seconds == 0


def test_a_known_end_beats_the_configured_time():
    found = find_refusal(ends(refusal(60), NOW + 3.5), None, NOW)
    assert (found.seconds, found.native) == (3.5, {"60"})


def test_each_configured_time_of_a_chain_may_be_litellms_own_header():
    error = refusal(30)
    error.__context__ = refusal(9.5)
    assert find_refusal(error, None, NOW).native == {"30", "10"}


def test_where_nothing_is_cooling_no_wait_would_come_true():
    found = find_refusal(ends(refusal(60), None), None, NOW)
    assert (found.seconds, found.endless) == (None, True)


def test_a_group_in_which_nothing_is_cooling_leaves_the_wait_to_its_fallback():
    error = ends(refusal(60), None)
    error.__context__ = ends(refusal(60), NOW + 8)
    assert find_refusal(error, None, NOW).seconds == 8


def test_an_unusable_cooldown_does_not_hide_a_usable_fallback():
    error = refusal("60")
    error.__context__ = refusal(8)
    found = find_refusal(error, None, NOW)
    assert (found.seconds, found.endless) == (8, False)


def test_an_unusable_number_says_nothing_about_an_end():
    error = ends(refusal(60), None)
    error.__context__ = refusal("60")
    assert find_refusal(error, None, NOW).endless is False


def test_an_end_that_has_passed_is_never_said_as_zero():
    assert 0 < find_refusal(ends(refusal(60), NOW - 5), None, NOW).seconds <= 1


@pytest.mark.parametrize("value", [math.nan, math.inf, -3, None, "60", True])
def test_an_unusable_cooldown_is_a_refusal_without_seconds(value):
    assert find_refusal(refusal(value), None, NOW).seconds is None


def test_a_refusal_without_cooldown_time_tells_nothing():
    assert retry_after(RouterRateLimitError("half-made")) is None


def test_members_of_a_group_are_looked_at():
    group = RuntimeError("group")
    group.exceptions = (ValueError("a"), refusal(4))
    assert retry_after(group) == 4


@pytest.mark.parametrize("members", [5, None, "text", {"a": 1}, refusal(4), (None, "text", 5)])
def test_what_is_no_group_has_no_members(members):
    error = below(refusal(9))
    error.exceptions = members
    assert find_refusal(error, None, NOW).seconds == 9


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.booleans()), max_size=30))
def test_any_tangle_of_chains_ends(links):
    errors = [refusal(n) if n % 3 == 0 else ValueError(n) for n in range(10)]
    for source, target, cause in links:
        setattr(errors[source], "__cause__" if cause else "__context__", errors[target])
    assert len(list(related(errors[0]))) <= 10
    retry_after(errors[0])


def test_a_chain_of_a_hundred_thousand_ends():
    bottom: BaseException = refusal(1)
    for _ in range(100_000):
        bottom = below(bottom)
    assert retry_after(bottom) is None  # found only within the first thousand
    assert len(list(related(bottom))) == 1000
    while bottom is not None:  # freeing it recursively would exhaust the C stack
        bottom.__context__, bottom = None, bottom.__context__


def test_what_is_noted_on_an_exception_can_be_copied_and_pickled():
    lock = threading.Lock()  # as LiteLLM's router has
    cooling = Cooling(5.0, "a|b", 30.0, rate=lambda: lock, honoured=120.0)
    assert copy.deepcopy(cooling) is cooling
    there = pickle.loads(pickle.dumps(cooling))
    assert (there.ready_at, there.queue, there.cooldown, there.honoured) == (5.0, "a|b", 30, 120)
    assert there.rate() == KnownRate()
