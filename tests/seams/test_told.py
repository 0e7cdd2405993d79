"""`litellm_patch.retry_after`: what an exception chain tells, from the nearest to the truth."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from litellm_patch import retry_after
from litellm_patch.seams.refusal import spent_budget


class RouterRateLimitErrorBasic(ValueError):
    __module__ = "litellm.types.router"


class HTTPException(Exception):
    __module__ = "starlette.exceptions"
    status_code = 429
    headers = {"retry-after": "12.5"}


class ProviderError(Exception):
    status_code = 429

    def __init__(self, told: str) -> None:
        super().__init__("busy")
        self.litellm_response_headers = {"Retry-After": told}


class Foreign(Exception):
    @property
    def status_code(self):
        raise RuntimeError("half-made")


@pytest.mark.parametrize(
    "error, seconds",
    [
        (HTTPException("limit"), 12.5),
        (ProviderError("7"), 7),
        (ProviderError("soon"), None),
        (ValueError("anything else"), None),
        (Foreign("of another library"), None),
        (None, None),
    ],
)
def test_seconds_that_somebody_else_decided_are_told_too(error, seconds):
    assert retry_after(error) == seconds


def test_a_limit_of_a_deployment_ends_with_the_minute():
    assert 0 < retry_after(RouterRateLimitErrorBasic("x")) <= 60


def test_a_spent_budget_ends_with_its_window():
    spent_budget.remember("budget of a", time.time() + 90)
    error = ValueError("No deployments available - crossed budget: budget of a")
    assert 80 < retry_after(error) <= 90


def test_a_date_is_as_long_as_until_then():
    in_90_s = formatdate(time.time() + 90, usegmt=True)
    assert 80 < retry_after(ProviderError(in_90_s)) <= 90


def test_it_is_found_under_an_error_that_does_not_mention_it():
    above = RuntimeError("the service is not available")
    above.__cause__ = ProviderError("7")
    assert retry_after(above) == 7
