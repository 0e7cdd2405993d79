"""How long a limit of LiteLLM's says to wait, and which of several refusals decides."""

from __future__ import annotations

import pytest
from refusals import (
    BASIC,
    BUDGET,
    BUSY,
    CLOCK,
    MINUTE_ENDS_IN,
    NOW,
    below,
    cooling,
    limiter,
    marked,
    pinned,
    provider,
    rate,
    refusal,
)

from litellm_patch.wait import marks
from litellm_patch.wait.exception_chain import FALLBACK_REFUSALS
from litellm_patch.wait.limits import WINDOW_END, find_own_refusal


def seconds(error, message=""):
    found = find_own_refusal(error, message, NOW, CLOCK)
    return None if found is None else found.seconds


def ending(error, ends_in):
    """It is known when the window of this limit ends."""
    marks.put(error, WINDOW_END, CLOCK + ends_in)
    return error


def budget(ends_in=None):
    return ValueError(BUDGET) if ends_in is None else ending(ValueError(BUDGET), ends_in)


def dynamic(what):
    error = limiter(detail={"error": f"Key=k over available {what}, Active keys=1"})
    error.args = (f"429: {error.detail}",)
    return error


def with_headers(headers):
    error = limiter()
    error.headers = headers
    return error


def silent():
    error = limiter(detail="", retry_after="5")
    error.args = ()
    return error


def with_fallbacks(error, *fallbacks, below=None):
    """The error of a group, the refusals of its fallbacks, and what brought it about."""
    marks.put(error, FALLBACK_REFUSALS, list(fallbacks))
    error.__context__ = below
    return error


@pytest.mark.parametrize(
    "error, expected",
    [
        (BASIC("No deployments available"), MINUTE_ENDS_IN),
        (rate(), MINUTE_ENDS_IN),
        (rate(told="60"), MINUTE_ENDS_IN),  # LiteLLM's flat minute
        (rate(message="Model rate limit exceeded. RPD limit=1", told="3600"), 3600.0),
        (limiter(retry_after="16.759601"), 16.759601),
        (ending(limiter(retry_after="60"), 13), 13),
        (ending(limiter(retry_after="60"), 0.5), 0.5),
        (ending(limiter(retry_after="60"), 0), 60),  # another window has begun meanwhile
        (dynamic("TPM=0. Model TPM=0"), MINUTE_ENDS_IN),
        (dynamic("RPM=0. Model RPM=0"), MINUTE_ENDS_IN),
        (limiter(detail="Key=k over available TPM=0", retry_after="3"), 3),
        (budget(90), 90),
        (budget(-5), 0.001),
        (marked(pinned(), 12), 12),
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
        limiter(retry_after="nan"),
        limiter(retry_after="1", Retry_After="2"),
        limiter(retry_after=None),
        with_headers([("retry-after", "5")]),
        provider(headers={"retry-after": "5"}),
        budget(),
        budget(1e12),
        pinned(),  # its deployment is not known to cool
    ],
)
def test_anything_else_tells_no_wait(error):
    assert find_own_refusal(error, "", NOW, CLOCK) is None


@pytest.mark.parametrize(
    "error, native",
    [
        (rate(), {"60"}),
        (rate(message="Model rate limit exceeded. RPD limit=1", told="3600"), {"3600"}),
        (ending(limiter(retry_after="60"), 13), {"60"}),
        (limiter(retry_after="60"), set()),
        (marked(rate(), 6), {"60"}),
        (with_fallbacks(rate(told="60"), below=limiter(retry_after="5")), {"60"}),
        (with_fallbacks(refusal(200), rate()), {"200"}),  # it is made from the cooldown
    ],
)
def test_litellms_own_header_is_recognised(error, native):
    assert find_own_refusal(error, None, NOW, CLOCK).native == native


@pytest.mark.parametrize(
    "limit, message, expected",
    [
        (limiter(retry_after="5"), "something failed", None),
        (limiter(retry_after="5"), "429: Crossed TPM / RPM", 5),
        (limiter(retry_after="5"), None, 5),
        (silent(), "something failed", None),  # nothing is told of it
    ],
)
def test_a_limit_below_counts_only_if_the_client_is_told_of_it(limit, message, expected):
    assert seconds(below(limit), message) == expected


@pytest.mark.parametrize(
    "error, expected",
    [
        (with_fallbacks(cooling(100), rate()), MINUTE_ENDS_IN),
        (with_fallbacks(cooling(100), limiter(retry_after="7")), 7),
        (with_fallbacks(cooling(100), cooling(4), rate()), 4),
        (with_fallbacks(refusal("soon"), cooling(4)), 4),
        (with_fallbacks(cooling(None), rate()), MINUTE_ENDS_IN),
        (with_fallbacks(rate(), cooling(3)), 3),
        (with_fallbacks(budget(90), rate()), MINUTE_ENDS_IN),
        (with_fallbacks(ValueError("its own failure"), cooling(100), rate()), MINUTE_ENDS_IN),
        # A deployment that is cooling, beside one that is at its limit.
        (marked(rate(), 6), 6),
        (marked(rate(), 600), MINUTE_ENDS_IN),
        (marked(rate(), None), MINUTE_ENDS_IN),
        # The limit that brought a group into its cooldown, or below another, is no fallback.
        (with_fallbacks(cooling(100), below=rate()), 100),
        (with_fallbacks(rate(told="60"), below=limiter(retry_after="5")), MINUTE_ENDS_IN),
    ],
)
def test_the_first_that_can_serve_decides(error, expected):
    message = f"… No deployments available … [{rate().message}]"
    assert seconds(error, message) == seconds(error, None) == expected


def test_the_limit_of_a_fallback_does_not_count_below_an_unrelated_failure():
    error = with_fallbacks(ValueError("the request is wrong"), rate())
    assert seconds(error, "the request is wrong") is None
