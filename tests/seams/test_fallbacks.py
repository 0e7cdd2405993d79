"""The refusals of fallbacks are found from the error of the group that was asked for."""

from __future__ import annotations

from litellm_errors import below, budget, limit, refusal

from litellm_patch.seams.refusal.fallbacks import remember_hop, remember_refusals
from litellm_patch.wait.exception_chain import refusals_of_fallbacks


def fail(original, *fallbacks):
    for error in fallbacks:
        try:
            raise error
        except Exception:
            remember_refusals(None, {"original_exception": original}, None)


def hop(original, failed, **event):
    remember_hop(None, {"event": event, "level_error": original, "hop_error": failed}, None)


def test_a_limited_fallback_is_kept_but_not_the_limit_behind_a_cooldown():
    original, cooling, last = refusal(10), below(refusal(60), limit()), [limit(), budget()]
    fail(original, cooling, ValueError("of its own"), *last)
    assert refusals_of_fallbacks(original) == [cooling, *last]


def test_a_fallbacks_own_fallbacks_are_kept_too():
    original, middle, last = refusal(60), refusal(50), limit()
    fail(middle, last)
    fail(original, middle)
    assert last in refusals_of_fallbacks(original)


def test_the_router_in_rust_tells_what_became_of_a_fallback():
    original, cooling = ValueError("own"), refusal(60)
    hop(original, cooling, succeeded=True)
    hop(original, None)
    hop(None, cooling)
    assert vars(original) == {}
    hop(original, cooling, succeeded=False)
    hop(original, cooling)
    assert refusals_of_fallbacks(original) == [cooling, cooling]


def test_an_error_is_no_fallback_of_its_own():
    original = refusal(60)
    hop(original, original)
    assert refusals_of_fallbacks(original) == []
    failed = below(refusal(30), original)
    hop(original, failed)
    assert refusals_of_fallbacks(original) == [failed]


def test_fifty_refusals_are_kept_at_most():
    original, many = ValueError("own"), [refusal(seconds) for seconds in range(60)]
    fail(original, *many)
    assert refusals_of_fallbacks(original) == many[:50]
