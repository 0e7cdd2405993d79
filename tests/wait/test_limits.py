"""How long a limit of LiteLLM's says to wait, and which of several refusals decides."""

from __future__ import annotations

import pytest
from refusals import (
    BASIC,
    BUSY,
    CLOCK,
    MINUTE_ENDS_IN,
    NOW,
    RATE,
    below,
    cooling,
    limiter,
    marked,
    provider,
    rate,
    refusal,
)

from litellm_patch.wait import marks
from litellm_patch.wait.exception_chain import FALLBACK_REFUSALS, Refusal
from litellm_patch.wait.limits import WINDOW_END, find_own_refusal


def seconds(error, message=""):
    found = find_own_refusal(error, message, NOW, CLOCK)
    return None if found is None else found.seconds


def ending(error, ends_in):
    """It is known when the window of this limit ends."""
    marks.put(error, WINDOW_END, CLOCK + ends_in)
    return error


def budget(ends_in=None):
    error = ValueError("No deployments available - crossed budget: Exceeded budget for provider p")
    return error if ends_in is None else ending(error, ends_in)


def pinned(of, status):
    error = of("The deployment that produced this encrypted_content is currently unavailable")
    error.status_code, error.llm_provider = status, ""
    return error


def dynamic(what):
    error = limiter(detail={"error": f"Key=k over available {what}, Active keys=1"})
    error.args = (f"429: {error.detail}",)
    return error


@pytest.mark.parametrize(
    "error, expected",
    [
        (BASIC("No deployments available"), MINUTE_ENDS_IN),
        (rate(), MINUTE_ENDS_IN),
        (rate(told="60"), MINUTE_ENDS_IN),  # LiteLLM's flat minute
        (rate(message="Model rate limit exceeded. RPD limit=1", told="3600"), 3600.0),
        (limiter(retry_after="16.759601"), 16.759601),
        (limiter(Retry_After="60"), 60.0),
        (ending(limiter(retry_after="60"), 13), 13),
        (ending(limiter(retry_after="60"), 0.5), 0.5),
        (ending(limiter(retry_after="60"), 0), 60),  # another window has begun meanwhile
        (ending(limiter(retry_after="60"), -1), 60),
        (dynamic("TPM=0. Model TPM=0"), MINUTE_ENDS_IN),
        (dynamic("RPM=0. Model RPM=0"), MINUTE_ENDS_IN),
        (limiter(detail="Key=k over available TPM=0", retry_after="3"), 3),
        (budget(90), 90),
        (budget(-5), 0.001),
        (marked(pinned(RATE, 429), 12), 12),
        (marked(pinned(BUSY, 503), 12), 12),
    ],
)
def test_the_wait_of_a_limit(error, expected):
    assert seconds(error) == expected


@pytest.mark.parametrize(
    "error",
    [
        None,
        ValueError("boom"),
        rate(provider="openai"),
        limiter(),
        ending(limiter(), 13),
        limiter(retry_after="soon"),
        limiter(retry_after="-1"),
        limiter(retry_after="nan"),
        limiter(retry_after="1", Retry_After="2"),
        limiter(retry_after=None),
        provider(headers={"retry-after": "5"}),
        budget(),
        budget(1e12),
        pinned(RATE, 429),  # its deployment is not known to cool
    ],
)
def test_anything_else_tells_no_wait(error):
    assert find_own_refusal(error, "", NOW, CLOCK) is None


def test_headers_of_another_kind_tell_nothing():
    error = limiter()
    error.headers = [("retry-after", "5")]
    assert seconds(error) is None


@pytest.mark.parametrize(
    "error, native",
    [
        (rate(), {"60"}),
        (rate(message="Model rate limit exceeded. RPD limit=1", told="3600"), {"3600"}),
        (ending(limiter(retry_after="60"), 13), {"60"}),
        (limiter(retry_after="60"), set()),
        (marked(rate(), 6), {"60"}),
    ],
)
def test_litellms_own_header_is_recognised(error, native):
    assert find_own_refusal(error, "", NOW, CLOCK).native == native


@pytest.mark.parametrize(
    "message, expected", [("something failed", None), ("429: Crossed TPM / RPM", 5), (None, 5)]
)
def test_a_limit_below_counts_only_if_the_client_is_told_of_it(message, expected):
    assert seconds(below(limiter(retry_after="5")), message) == expected


def test_a_limit_without_a_text_is_not_one_that_the_client_is_told_of():
    silent = limiter(detail="", retry_after="5")
    silent.args = ()
    assert seconds(below(silent), "something failed") is None


def with_fallbacks(error, *fallbacks):
    """The error of a group, and the refusals of its fallbacks."""
    marks.put(error, FALLBACK_REFUSALS, list(fallbacks))
    return error


@pytest.mark.parametrize(
    "error, expected",
    [
        (with_fallbacks(cooling(100), rate()), MINUTE_ENDS_IN),
        (with_fallbacks(cooling(3), rate()), 3),
        (with_fallbacks(cooling(100), budget(5)), 5),
        (with_fallbacks(cooling(100), limiter(retry_after="7")), 7),
        (with_fallbacks(cooling(100), cooling(4), rate()), 4),
        (with_fallbacks(refusal("soon"), cooling(4)), 4),
        (with_fallbacks(cooling(None), rate()), MINUTE_ENDS_IN),
        (with_fallbacks(rate(), cooling(100)), MINUTE_ENDS_IN),
        (with_fallbacks(rate(), cooling(3)), 3),
        (with_fallbacks(rate(), budget(5)), 5),
        (with_fallbacks(budget(90), rate()), MINUTE_ENDS_IN),
        (with_fallbacks(ValueError("its own failure"), cooling(100), rate()), MINUTE_ENDS_IN),
        # A deployment that is cooling, beside one that is at its limit.
        (marked(rate(), 6), 6),
        (marked(rate(), 600), MINUTE_ENDS_IN),
        (marked(rate(), None), MINUTE_ENDS_IN),
    ],
)
def test_the_first_that_can_serve_decides(error, expected):
    assert seconds(error, "… No deployments available …") == expected


def test_below_a_cooldown_litellms_own_header_is_made_from_the_cooldown():
    error = with_fallbacks(cooling(100), rate())
    assert find_own_refusal(error, None, NOW, CLOCK).native == {"60"}
    error.cooldown_time = 200
    assert find_own_refusal(error, None, NOW, CLOCK).native == {"200"}


def test_a_limit_below_a_limit_is_no_fallback():
    error = rate(told="60")
    error.__context__ = limiter(retry_after="5")
    found = find_own_refusal(error, None, NOW, CLOCK)
    assert found == Refusal(MINUTE_ENDS_IN, frozenset({"60"}))


def test_the_limit_of_a_fallback_does_not_count_below_an_unrelated_failure():
    error = with_fallbacks(ValueError("the request is wrong"), rate())
    assert find_own_refusal(error, "the request is wrong", NOW, CLOCK) is None


def test_the_limit_that_brought_a_group_into_its_cooldown_does_not_count():
    error = cooling(100)
    error.__context__ = rate()
    assert seconds(error, f"No deployments available, cooldown_list=[{rate().message}]") == 100
