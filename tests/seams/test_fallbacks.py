"""The refusals of fallbacks are found from the error of the group that was asked for."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from litellm_patch.seams.refusal.fallbacks import remember_hop, remember_refusals
from litellm_patch.wait.exception_chain import find_refusal


def refusal(cooldown_time):
    from litellm.types.router import RouterRateLimitError

    return RouterRateLimitError(
        model="m", cooldown_time=cooldown_time, enable_pre_call_checks=False, cooldown_list=[]
    )


def fail(original, *fallbacks):
    for error in fallbacks:
        try:
            raise error
        except Exception:
            remember_refusals(None, {"original_exception": original}, None)


@pytest.mark.parametrize(
    "original, fallbacks, seconds",
    [
        (ValueError("own"), [refusal(60)], 60),
        (ValueError("own"), [refusal(60), ValueError("other"), refusal(30)], 30),
        (refusal(100), [refusal(60)], 60),
        (refusal(10), [refusal(60)], 10),
        (refusal(10), [], 10),
    ],
)
def test_the_earliest_counts(original, fallbacks, seconds):
    fail(original, *fallbacks)
    found = find_refusal(original, "… No deployments available …", time.monotonic())
    assert found is not None
    assert found.seconds == seconds


def test_what_is_no_refusal_is_not_kept():
    original = ValueError("own")
    fail(original, ValueError("other"))
    assert find_refusal(original, "… No deployments available …", time.monotonic()) is None
    assert vars(original) == {"_sa_litellm_patch_fallback_refusals": []}


def test_an_error_that_takes_no_attributes_is_no_trouble():
    remember_refusals(None, {"original_exception": None}, None)


def limited():
    from litellm.exceptions import RateLimitError

    return RateLimitError("Deployment over defined rpm limit=1.", llm_provider="", model="m")


def kept(original):
    return vars(original)["_sa_litellm_patch_fallback_refusals"]


def test_a_fallback_that_is_limited_or_over_its_budget_is_kept():
    original, budget = refusal(60), ValueError("No deployments available - crossed budget: x")
    limit = limited()
    fail(original, limit, budget)
    assert kept(original) == [limit, budget]


def test_the_limit_that_brought_a_fallback_into_its_cooldown_is_not_kept():
    original, cooling = ValueError("own"), refusal(60)
    cooling.__context__ = limited()
    fail(original, cooling)
    assert kept(original) == [cooling]


def test_a_fallbacks_own_fallbacks_are_kept_too():
    original, middle, limit = refusal(60), refusal(50), limited()
    fail(middle, limit)
    fail(original, middle)
    assert limit in kept(original)


def hop(original, failed, **event):
    remember_hop(None, {"event": event, "level_error": original, "hop_error": failed}, None)


def test_the_router_in_rust_tells_what_became_of_a_fallback():
    original, cooling = ValueError("own"), refusal(60)
    hop(original, cooling, succeeded=True)
    assert vars(original) == {}
    hop(original, cooling, succeeded=False)
    hop(original, cooling)
    assert kept(original) == [cooling, cooling]


@pytest.mark.parametrize("failed", [None, "a text"])
def test_what_is_no_error_is_not_kept(failed):
    original = ValueError("own")
    hop(original, failed)
    assert vars(original) == {}


@pytest.mark.parametrize("original", [None, "a text", SimpleNamespace()])
def test_on_what_is_no_error_nothing_is_kept(original):
    hop(original, refusal(60))
    assert getattr(original, "__dict__", {}) == {}


def test_an_error_is_no_fallback_of_its_own():
    original = refusal(60)
    hop(original, original)
    assert not hasattr(original, "_sa_litellm_patch_fallback_refusals")
    failed = refusal(30)
    failed.__context__ = original
    hop(original, failed)
    assert kept(original) == [failed]


def test_fifty_refusals_are_kept_at_most():
    original, many = ValueError("own"), [refusal(seconds) for seconds in range(60)]
    fail(original, *many)
    assert kept(original) == many[:50]
