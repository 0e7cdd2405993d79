"""Which exceptions are limits of LiteLLM's own, and how long each says to wait."""

from __future__ import annotations

from collections import OrderedDict

import pytest

from litellm_patch.wait import limits, marks
from litellm_patch.wait.cooling import Cooling
from litellm_patch.wait.exception_chain import COOLING, FALLBACK_REFUSALS, Refusal
from litellm_patch.wait.limits import (
    WINDOW_END,
    find_limit,
    find_own_refusal,
    is_own_limit,
    is_own_refusal,
    is_pinned_refusal,
    remember_budget,
    seconds_to_next_minute,
)

NOW = 1000.0
CLOCK = 1_795_346_272.5  # 7.5 s before the end of a minute of the clock
MINUTE_ENDS_IN = 7.5
HTTP = type("HTTPException", (Exception,), {"__module__": "starlette.exceptions"})
RATE = type("RateLimitError", (Exception,), {"__module__": "litellm.exceptions"})
BASIC_ELSEWHERE = type("RouterRateLimitErrorBasic", (ValueError,), {"__module__": "mine"})
HTTP_ELSEWHERE = type("HTTPException", (Exception,), {"__module__": "mine", "status_code": 429})
COOLDOWN = type("RouterRateLimitError", (ValueError,), {"__module__": "litellm.types.router"})
BASIC = type("RouterRateLimitErrorBasic", (ValueError,), {"__module__": "litellm.types.router"})


def limiter(status=429, detail="Crossed TPM / RPM", **headers):
    error = HTTP(detail)
    error.status_code, error.detail = status, detail
    error.headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return error


def without_headers(error):
    error.headers = [("retry-after", "5")]
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
        (BASIC("No deployments available"), MINUTE_ENDS_IN),
        (rate(), MINUTE_ENDS_IN),
        (ValueError(SYNCHRONOUS), MINUTE_ENDS_IN),
        (rate(told="60"), MINUTE_ENDS_IN),
        (rate(message="No deployments available for selected model"), MINUTE_ENDS_IN),
        (rate(message="Model rate limit exceeded."), MINUTE_ENDS_IN),
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
        limiter(retry_after=None),
        without_headers(limiter(retry_after="5")),
        BASIC_ELSEWHERE("No deployments available"),
        HTTP_ELSEWHERE("Crossed TPM / RPM"),
        ValueError("No deployments available - crossed budget: of which nothing is known"),
    ],
)
def test_anything_else_is_none(error):
    assert find_limit(error, "", NOW, CLOCK) is None


def test_a_limit_below_counts_only_if_the_client_is_told_of_it():
    above = ValueError("something failed")
    above.__context__ = limiter(detail="Crossed TPM / RPM", retry_after="5")
    assert seconds(above, "something failed") is None
    assert seconds(above, "429: Crossed TPM / RPM") == 5
    assert find_own_refusal(above, "429: Crossed TPM / RPM", NOW, CLOCK).seconds == 5


def test_a_limit_without_a_text_is_not_one_that_the_client_is_told_of():
    above = ValueError("something failed")
    above.__context__ = limiter(detail="", retry_after="5")
    above.__context__.args = ()
    assert seconds(above, "something failed") is None
    assert seconds(above, None) == 5


@pytest.mark.parametrize(
    "message, detail, told",
    [
        ("limit of a", "limit of b", "limit of a"),
        ("", "limit of b", "limit of b"),
        (None, "limit of b", "limit of b"),
        ({"error": "limit of a"}, {"error": "limit of b"}, "its own text"),
    ],
)
def test_a_limit_is_told_by_its_message_or_its_detail_or_itself(message, detail, told):
    above, below = ValueError("something failed"), limiter(retry_after="5")
    below.message, below.detail, below.args = message, detail, ("its own text",)
    above.__context__ = below
    assert seconds(above, f"429: {told}") == 5
    others = {"limit of a", "limit of b", "its own text"} - {told}
    assert seconds(above, f"429: {others}") is None


def test_a_daily_limit_may_not_be_taken_for_the_flat_minute():
    error = rate(message="Model rate limit exceeded. RPD limit=1", told="3600")
    assert find_limit(error, "", NOW, CLOCK) == Refusal(3600.0, frozenset({"3600"}))


def test_litellms_flat_minute_may_be_bettered():
    assert find_limit(rate(), "", NOW, CLOCK) == Refusal(MINUTE_ENDS_IN, frozenset({"60"}))


def test_a_budget_ends_when_its_window_does():
    remember_budget("Exceeded budget for provider p: 3 >= 1\n", CLOCK + 90)
    text = "No deployments available - crossed budget: Exceeded budget for provider p: 3 >= 1\n"
    assert seconds(ValueError(text)) == 90


BUDGET = "No deployments available - crossed budget: "


@pytest.fixture
def no_budget(monkeypatch):
    """None is remembered; those of the other tests are again, afterwards."""
    monkeypatch.setattr(limits, "_budget_ends", OrderedDict())


@pytest.mark.usefixtures("no_budget")
def test_of_several_budgets_that_is_told_which_was_crossed():
    remember_budget("budget of a", CLOCK + 90)
    remember_budget("budget of b", CLOCK + 50)
    remember_budget("", CLOCK + 10)
    assert seconds(ValueError(f"{BUDGET}budget of a")) == 90
    assert seconds(ValueError(f"{BUDGET}budget of b")) == 50
    assert seconds(ValueError(f"{BUDGET}budget of c")) is None
    # The last to be noted is the one that was crossed now.
    assert seconds(ValueError(f"{BUDGET}budget of a, budget of b")) == 50
    remember_budget("budget of a", CLOCK + 70)
    assert seconds(ValueError(f"{BUDGET}budget of a, budget of b")) == 70


def test_a_budget_whose_window_has_ended_is_told_as_now_but_not_as_zero():
    remember_budget("budget of a", CLOCK - 5)
    assert seconds(ValueError(f"{BUDGET}budget of a")) == 0.001


def test_only_a_valueerror_is_a_budget():
    remember_budget("budget of a", CLOCK + 5)
    assert seconds(RuntimeError(f"{BUDGET}budget of a")) is None


@pytest.mark.usefixtures("no_budget")
def test_two_hundred_budgets_are_remembered():
    remember_budget("the first", CLOCK + 5)
    for number in range(199):
        remember_budget(f"number {number};", CLOCK + number)
    assert seconds(ValueError(f"{BUDGET}the first")) == 5
    remember_budget("one more", CLOCK + 7)
    assert seconds(ValueError(f"{BUDGET}the first")) is None
    assert seconds(ValueError(f"{BUDGET}number 17;")) == 17
    assert seconds(ValueError(f"{BUDGET}one more")) == 7


@pytest.mark.usefixtures("no_budget")
def test_a_budget_that_is_crossed_again_is_remembered_anew():
    remember_budget("the first", CLOCK + 5)
    for number in range(199):
        remember_budget(f"number {number};", CLOCK + number)
    remember_budget("the first", CLOCK + 6)
    remember_budget("one more", CLOCK + 7)
    assert seconds(ValueError(f"{BUDGET}the first")) == 6


PINNED = "The deployment that produced this encrypted_content is currently unavailable"
BUSY = type("ServiceUnavailableError", (Exception,), {"__module__": "litellm.exceptions"})


def pinned(kind=RATE, status=429, provider="", message=PINNED, ready_in=12.0):
    """The refusal of a follow-up whose deployment is cooling."""
    error = kind(message)
    error.status_code, error.llm_provider, error.message = status, provider, f"litellm: {message}"
    if ready_in is not None:
        marks.put(error, COOLING, Cooling(NOW + ready_in, "m"))
    return error


@pytest.mark.parametrize("kind, status", [(RATE, 429), (BUSY, 503)])
def test_a_pinned_deployment_is_told_until_its_cooldown_ends(kind, status):
    error = pinned(kind, status)
    assert (is_pinned_refusal(error), is_own_refusal(error)) == (True, True)
    assert seconds(error) == 12
    assert find_own_refusal(error, PINNED, NOW, CLOCK).seconds == 12


@pytest.mark.parametrize(
    "error",
    [
        pinned(provider="openai"),
        pinned(status=500),
        pinned(status=None),
        pinned(message="The deployment is busy"),
        pinned(type("RateLimitError", (Exception,), {"__module__": "openai"})),
        pinned(type("Timeout", (Exception,), {"__module__": "litellm.exceptions"})),
    ],
)
def test_anything_else_is_no_pinned_refusal(error):
    assert (is_pinned_refusal(error), is_own_refusal(error)) == (False, False)
    assert seconds(error) is None


def test_a_pinned_deployment_that_is_not_known_to_cool_tells_nothing():
    assert seconds(pinned(ready_in=None)) is None


@pytest.mark.parametrize(
    "error, limit, own",
    [
        (BASIC("No deployments available"), True, True),
        (rate(), True, True),
        (ValueError(SYNCHRONOUS), True, True),
        (ValueError(f"{BUDGET}of p"), True, True),
        (COOLDOWN("No deployments available"), False, True),
        (pinned(), False, True),
        (limiter(retry_after="5"), False, False),  # a hook refused it, not the router
        (rate(provider="openai"), False, False),
        (ValueError("boom"), False, False),
    ],
)
def test_what_the_router_refused_is_told_from_what_a_provider_did(error, limit, own):
    assert (is_own_limit(error), is_own_refusal(error)) == (limit, own)


def cooling(ready_in, *fallbacks):
    """The refusal of a group that is cooling, with those of its fallbacks."""
    error = COOLDOWN("No deployments available for selected model")
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


def test_the_limit_of_a_fallback_does_not_count_below_an_unrelated_failure():
    error = with_fallbacks(ValueError("the request is wrong"), rate())
    assert find_own_refusal(error, "the request is wrong", NOW, CLOCK) is None


def test_where_nothing_is_cooling_the_limit_of_a_fallback_is_told_and_litellms_number_is_not():
    error = cooling(100, rate())
    marks.put(error, COOLING, Cooling(None, "m"))
    found = find_own_refusal(error, "No deployments available", NOW, CLOCK)
    assert (found.seconds, found.native) == (MINUTE_ENDS_IN, {"200"})


def test_a_limit_below_a_limit_is_no_fallback():
    error = rate(told="60")
    error.__context__ = limiter(retry_after="5")
    found = find_own_refusal(error, None, NOW, CLOCK)
    assert (found.seconds, found.native) == (MINUTE_ENDS_IN, {"60"})


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
    for ended in (0, 1):  # another has begun meanwhile
        marks.put(error, WINDOW_END, CLOCK - ended)
        assert seconds(error) == 60


def test_a_window_of_which_litellm_tells_no_number_is_not_told():
    error = limiter()
    marks.put(error, WINDOW_END, CLOCK + 13)
    assert seconds(error) is None


def test_a_limiters_own_number_goes_before_the_minute_of_the_clock():
    error = limiter(detail="Key=k over available TPM=0", retry_after="3")
    assert seconds(error) == 3
