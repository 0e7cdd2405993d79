"""`litellm_patch.retry_after`: what an exception chain tells, from the nearest to the truth."""

from __future__ import annotations

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

    def __init__(self, retry_after):
        super().__init__("busy")
        self.litellm_response_headers = {"Retry-After": retry_after}


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
