"""Which exceptions are refusals of LiteLLM's own, and which are somebody else's."""

from __future__ import annotations

import pytest
from refusals import BASIC, BUDGET, BUSY, COOLDOWN, kind, limiter, pinned, rate

from litellm_patch.wait.litellm_errors import (
    is_cooldown_refusal,
    is_limiters_429,
    is_own_limit,
    is_own_refusal,
    is_pinned_refusal,
    text_of,
)

SYNCHRONOUS = (
    "No deployments available for selected model. Passed model=m. "
    "Deployments={'a': {'current_tpm': 0, 'tpm_limit': inf, 'current_rpm': 1, 'rpm_limit': 1}}"
)


@pytest.mark.parametrize(
    "error, recognised",
    [
        (COOLDOWN("x"), is_cooldown_refusal),
        (kind("Special", "mine", COOLDOWN)("x"), is_cooldown_refusal),
        (BASIC("No deployments available"), is_own_limit),
        (rate(), is_own_limit),
        (rate(message="No deployments available for selected model"), is_own_limit),
        (rate(message="Model rate limit exceeded. RPD limit=1"), is_own_limit),
        (ValueError(SYNCHRONOUS), is_own_limit),
        (ValueError(BUDGET), is_own_limit),
        (pinned(), is_pinned_refusal),
        (pinned(BUSY, 503), is_pinned_refusal),
        (limiter(), is_limiters_429),  # a hook refused it, not the router
    ],
)
def test_refusals_of_litellms_own(error, recognised):
    kinds = (is_cooldown_refusal, is_own_limit, is_pinned_refusal, is_limiters_429)
    assert [each for each in kinds if each(error)] == [recognised]
    assert is_own_refusal(error) is (recognised is not is_limiters_429)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("boom"),
        kind("RouterRateLimitError", "mine")("x"),
        kind("RouterRateLimitErrorBasic", "mine")("x"),
        rate(provider="openai"),  # a provider's own
        rate(message="something else"),
        rate(message="Max parallel requests exceeded. Deployment m already has 1 in flight"),
        ValueError(f"the tool said: {SYNCHRONOUS}"),
        kind("Wrapped", "mine", ValueError)(SYNCHRONOUS),
        RuntimeError(BUDGET),
        pinned(provider="openai"),
        pinned(status=500),
        pinned(status=None),
        pinned(message="The deployment is busy"),
        pinned(kind("RateLimitError", "openai")),
        pinned(kind("Timeout", "litellm.exceptions")),
        limiter(status=400),
        kind("HTTPException", "mine")("Crossed TPM / RPM"),
    ],
)
def test_anything_else_is_none(error):
    assert not is_own_refusal(error)
    assert not is_limiters_429(error)


@pytest.mark.parametrize(
    "message, detail, arguments, text",
    [
        ("limit of a", "limit of b", ("itself",), "limit of a"),
        ("", "limit of b", ("itself",), "limit of b"),
        (None, "limit of b", ("itself",), "limit of b"),
        ({"error": "a"}, {"error": "b"}, ("itself",), "itself"),
        ("", "", (), "HTTPException()"),
    ],
)
def test_the_text_of_an_error_is_its_message_or_its_detail_or_itself(
    message, detail, arguments, text
):
    error = limiter()
    error.message, error.detail, error.args = message, detail, arguments
    assert text_of(error) == text
