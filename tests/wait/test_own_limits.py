"""Which exceptions are limits of LiteLLM's own, and how long each says to wait."""

from __future__ import annotations

import pytest

from litellm_patch.wait.exception_chain import Refusal
from litellm_patch.wait.limits import find_limit, remember_budget, seconds_to_next_minute

CLOCK = 1_795_346_272.5  # 47.5 s before the end of a minute of the clock
HTTP = type("HTTPException", (Exception,), {"__module__": "starlette.exceptions"})
RATE = type("RateLimitError", (Exception,), {"__module__": "litellm.exceptions"})
BASIC = type("RouterRateLimitErrorBasic", (ValueError,), {"__module__": "litellm.types.router"})


def limiter(status=429, detail="Crossed TPM / RPM", **headers):
    error = HTTP(detail)
    error.status_code, error.detail = status, detail
    error.headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return error


def rate(provider="", message="Deployment over defined rpm limit=1.", told=None):
    error = RATE(message)
    error.llm_provider, error.message = provider, f"litellm.RateLimitError: {message}"
    headers = {} if told is None else {"retry-after": told}
    error.response = type("Response", (), {"headers": headers})()
    return error


def seconds(error, message=""):
    found = find_limit(error, message, CLOCK)
    return None if found is None else found.seconds


def test_a_minute_ends_where_the_clocks_minute_does():
    assert seconds_to_next_minute(120.0) == 60
    assert seconds_to_next_minute(179.0) == 1


@pytest.mark.parametrize(
    "error, expected",
    [
        (BASIC("No deployments available"), seconds_to_next_minute(CLOCK)),
        (rate(), seconds_to_next_minute(CLOCK)),
        (rate(told="60"), seconds_to_next_minute(CLOCK)),
        (rate(message="Model rate limit exceeded. RPD limit=1", told="3600"), 3600.0),
        (limiter(retry_after="16.759601"), 16.759601),
        (limiter(Retry_After="60"), 60.0),
    ],
)
def test_own_limits(error, expected):
    assert seconds(error) == expected


@pytest.mark.parametrize(
    "error",
    [
        None,
        ValueError("boom"),
        rate(provider="openai"),  # a provider's own
        rate(message="something else"),
        limiter(),
        limiter(status=400, retry_after="5"),
        limiter(retry_after="soon"),
        limiter(retry_after="-1"),
        limiter(retry_after="nan"),
        limiter(retry_after="1", Retry_After="2"),
        ValueError("No deployments available - crossed budget: of which nothing is known"),
    ],
)
def test_anything_else_is_none(error):
    assert seconds(error) is None


def test_a_limit_below_counts_only_if_the_client_is_told_of_it():
    above = ValueError("something failed")
    above.__context__ = limiter(detail="Crossed TPM / RPM", retry_after="5")
    assert seconds(above, "something failed") is None
    assert seconds(above, "429: Crossed TPM / RPM") == 5


def test_litellms_flat_minute_may_be_bettered():
    assert find_limit(rate(), "", CLOCK) == Refusal(seconds_to_next_minute(CLOCK), configured=60.0)


def test_a_budget_ends_when_its_window_does():
    remember_budget("Exceeded budget for provider p: 3 >= 1\n", CLOCK + 90)
    text = "No deployments available - crossed budget: Exceeded budget for provider p: 3 >= 1\n"
    assert seconds(ValueError(text)) == 90
