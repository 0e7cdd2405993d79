"""`litellm_patch.retry_after`: what an exception chain tells, from the nearest to the truth."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from litellm_patch import retry_after


class RouterRateLimitErrorBasic(ValueError):
    __module__ = "litellm.types.router"


class HTTPException(Exception):
    __module__ = "starlette.exceptions"
    status_code = 429

    def __init__(self, headers):
        super().__init__("limit")
        self.headers = headers


class ProviderError(Exception):
    status_code = 429

    def __init__(self, retry_after, **more):
        super().__init__("busy")
        self.litellm_response_headers = {"Retry-After": retry_after, **more}


def test_a_limit_of_a_deployment_ends_with_the_minute():
    assert 0 < retry_after(RouterRateLimitErrorBasic("x")) <= 60


@pytest.mark.parametrize(
    "error, seconds",
    [
        (HTTPException({"retry-after": "12.5"}), 12.5),
        (ProviderError("7"), 7),
        (ProviderError("soon"), None),
        (ValueError("anything else"), None),
        (None, None),
    ],
)
def test_seconds_that_somebody_else_decided_are_told_too(error, seconds):
    assert retry_after(error) == seconds


def test_it_is_found_under_an_error_that_does_not_mention_it():
    try:
        try:
            raise ProviderError("7")
        except ProviderError as below:
            raise RuntimeError("the service is not available") from below
    except RuntimeError as error:
        assert retry_after(error) == 7


def test_a_date_is_as_long_as_until_then():
    assert retry_after(ProviderError(formatdate(time.time() + 90, usegmt=True))) == pytest.approx(
        90, abs=5
    )


@pytest.mark.parametrize(
    "date",
    [
        # The three forms of RFC 9110 §5.6.7; the last two are obsolete and must be understood.
        "Sun, 06 Nov 1994 08:50:37 GMT",
        "Sunday, 06-Nov-94 08:50:37 GMT",
        "Sun Nov  6 08:50:37 1994",
    ],
)
def test_a_date_counts_from_the_date_of_its_answer(date):
    """Whose clock wrote both; ours may differ."""
    assert retry_after(ProviderError(date, Date="Sun, 06 Nov 1994 08:49:37 GMT")) == 60


def test_a_date_that_has_passed_is_as_good_as_now_but_not_0():
    assert retry_after(ProviderError("Sun, 06 Nov 1994 08:49:37 GMT")) == 0.001


@pytest.mark.parametrize("date", ["Sun, 99 Nov 1994 08:49:37 GMT", "Nov", "9" * 400, "9999-01-01"])
def test_what_is_no_date_tells_nothing(date):
    assert retry_after(ProviderError(date)) is None
