"""Which exceptions are limits of LiteLLM's own, and how long each says to wait."""

from __future__ import annotations

import pytest

from litellm_patch.wait import marks
from litellm_patch.wait.cooling import Cooling
from litellm_patch.wait.exception_chain import COOLING, FALLBACK_REFUSALS, Refusal
from litellm_patch.wait.limits import (
    WINDOW_END,
    find_limit,
    find_own_refusal,
    remember_budget,
    seconds_to_next_minute,
)

NOW = 1000.0
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


SYNCHRONOUS = (
    "No deployments available for selected model. Passed model=m. "
    "Deployments={'a': {'current_tpm': 0, 'tpm_limit': inf, 'current_rpm': 1, 'rpm_limit': 1}}"
)


def seconds(error, message=""):
    found = find_limit(error, message, NOW, CLOCK)
    return None if found is None else found.seconds


def test_a_minute_ends_where_the_clocks_minute_does():
    assert seconds_to_next_minute(120.0) == 60
    assert seconds_to_next_minute(179.0) == 1


@pytest.mark.parametrize(
    "error, expected",
    [
        (BASIC("No deployments available"), seconds_to_next_minute(CLOCK)),
        (rate(), seconds_to_next_minute(CLOCK)),
        (ValueError(SYNCHRONOUS), seconds_to_next_minute(CLOCK)),
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
        ValueError(f"the tool said: {SYNCHRONOUS}"),
        type("Wrapped", (ValueError,), {})(SYNCHRONOUS),
        rate(provider="openai"),  # a provider's own
        rate(message="something else"),
        rate(message="Max parallel requests exceeded. Deployment m already has 1 in flight"),
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
    assert find_limit(rate(), "", NOW, CLOCK) == Refusal(
        seconds_to_next_minute(CLOCK), frozenset({"60"})
    )


def test_a_budget_ends_when_its_window_does():
    remember_budget("Exceeded budget for provider p: 3 >= 1\n", CLOCK + 90)
    text = "No deployments available - crossed budget: Exceeded budget for provider p: 3 >= 1\n"
    assert seconds(ValueError(text)) == 90


def cooling(ready_in, *fallbacks):
    """The refusal of a group that is cooling, with those of its fallbacks."""
    cooldown = type("RouterRateLimitError", (ValueError,), {"__module__": "litellm.types.router"})
    error = cooldown("No deployments available for selected model")
    error.cooldown_time = 200
    marks.put(error, COOLING, Cooling(NOW + ready_in, "m"))
    return with_fallbacks(error, *fallbacks)


def with_fallbacks(error, *fallbacks):
    marks.put(error, FALLBACK_REFUSALS, list(fallbacks))
    return error


def budget(ends_in):
    text = f"Exceeded budget for provider p{ends_in}: 3 >= 1\n"
    remember_budget(text, CLOCK + ends_in)
    return ValueError(f"No deployments available - crossed budget: {text}")


MINUTE_ENDS_IN = seconds_to_next_minute(CLOCK)


@pytest.mark.parametrize(
    "error, expected",
    [
        (cooling(100, rate()), MINUTE_ENDS_IN),
        (cooling(3, rate()), 3),
        (cooling(100, budget(5)), 5),
        (cooling(100, limiter(retry_after="7")), 7),
        (cooling(100, cooling(4), rate()), 4),
        (with_fallbacks(rate(), cooling(100)), MINUTE_ENDS_IN),
        (with_fallbacks(rate(), cooling(3)), 3),
        (with_fallbacks(rate(), budget(5)), 5),
        (with_fallbacks(budget(90), rate()), MINUTE_ENDS_IN),
        (with_fallbacks(ValueError("its own failure"), cooling(100), rate()), MINUTE_ENDS_IN),
    ],
)
def test_of_a_group_and_its_fallbacks_the_first_that_can_serve_decides(error, expected):
    found = find_own_refusal(error, "… No deployments available …", NOW, CLOCK)
    assert found.seconds == pytest.approx(expected)


def test_a_cooldown_without_a_usable_number_hides_no_fallback():
    unusable = cooling(0)
    marks.put(unusable, COOLING, None)
    unusable.cooldown_time = "soon"
    found = find_own_refusal(
        with_fallbacks(unusable, cooling(4)), "No deployments available", NOW, CLOCK
    )
    assert found.seconds == pytest.approx(4)


def test_litellms_own_header_is_recognised_also_where_a_limit_ends_first():
    error = cooling(100, rate())
    assert find_own_refusal(error, "No deployments available", NOW, CLOCK).native == {"200"}


def beside_limit(ready_in):
    """A limit of a deployment whose group has another one that is cooling."""
    error = rate(told="60")
    marks.put(error, COOLING, Cooling(None if ready_in is None else NOW + ready_in, "m"))
    return error


@pytest.mark.parametrize(
    "error, expected",
    [
        (beside_limit(6), 6),
        (beside_limit(600), MINUTE_ENDS_IN),
        (beside_limit(None), MINUTE_ENDS_IN),
    ],
)
def test_of_a_limited_and_a_cooling_deployment_the_first_that_can_serve_decides(error, expected):
    found = find_own_refusal(error, None, NOW, CLOCK)
    assert (found.seconds, found.native) == (pytest.approx(expected), {"60"})


def test_the_limit_that_brought_a_group_into_its_cooldown_does_not_count():
    error = cooling(100)
    error.__context__ = rate()
    message = f"No deployments available, cooldown_list=[{rate().message}]"
    assert find_own_refusal(error, message, NOW, CLOCK).seconds == pytest.approx(100)


@pytest.mark.parametrize("error", [None, ValueError("boom"), rate(provider="openai")])
def test_what_litellm_did_not_decide_is_none(error):
    assert find_own_refusal(error, "boom", NOW, CLOCK) is None


@pytest.mark.parametrize("what", ["TPM=0. Model TPM=0", "RPM=0. Model RPM=0"])
def test_the_first_dynamic_limiter_shares_out_the_minute_of_the_clock(what):
    error = limiter(detail={"error": f"Key=k over available {what}, Active keys=1"})
    error.args = (f"429: {error.detail}",)
    assert seconds(error) == MINUTE_ENDS_IN


def test_a_limiters_window_is_told_to_its_end():
    error = limiter(retry_after="60")
    marks.put(error, WINDOW_END, CLOCK + 13)
    assert find_limit(error, "", NOW, CLOCK) == Refusal(13.0, native=frozenset({"60"}))
    marks.put(error, WINDOW_END, CLOCK - 1)  # another has begun meanwhile
    assert seconds(error) == 60
