"""`litellm_patch.retry_after`: what an exception chain tells, from the nearest to the truth."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest
from fastapi import HTTPException
from litellm_errors import BUDGET, basic, below, budget, rate_limit

from litellm_patch import retry_after
from litellm_patch.seams.refusal import spent_budget

CLOCK = 1_795_000_000.0
MINUTE_ENDS_IN = 20


def provider(told: str) -> Exception:
    error = rate_limit("busy", "openai")
    error.litellm_response_headers = {"Retry-After": told}
    return error


class Foreign(Exception):
    @property
    def status_code(self):
        raise RuntimeError("half-made")


@pytest.mark.parametrize(
    "error, seconds",
    [
        (basic(), MINUTE_ENDS_IN),
        (budget(), 90),
        (HTTPException(429, "limit", {"retry-after": "12.5"}), 12.5),
        (provider("7"), 7),
        (provider("soon"), None),
        (provider(formatdate(CLOCK + 90, usegmt=True)), 90),
        (below(RuntimeError("the service is not available"), provider("7")), 7),
        (ValueError("anything else"), None),
        (Foreign("of another library"), None),
        (None, None),
    ],
)
def test_seconds_that_anybody_decided_are_told(monkeypatch, error, seconds):
    monkeypatch.setattr(time, "time", lambda: CLOCK)
    monkeypatch.setattr(spent_budget, "_ends", {BUDGET: CLOCK + 90})
    assert retry_after(error) == seconds
