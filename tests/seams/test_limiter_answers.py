"""The answer to an `HTTPException`: a refusal becomes a 429, in whole seconds."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from litellm_errors import below, refusal
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from litellm_patch import metrics
from litellm_patch.seams.answer.exposed_headers import WAIT_HEADERS
from litellm_patch.seams.answer.limiter_answers import say_valid_retry_after

OTHER = ValueError("something else")


@pytest.mark.parametrize(
    "error, status, wait, told",
    [
        # LiteLLM's conversion of the router's refusal.
        (refusal(60), 429, None, (True, 429, "60")),
        (refusal(60), 500, None, (True, 429, "60")),
        (refusal(60), 503, None, (True, 429, "60")),
        (refusal(60), 404, None, (False, 404, None)),  # the client is to blame
        (refusal(60), 428, None, (False, 428, None)),
        (refusal(60), 430, None, (False, 430, None)),
        (refusal(60), 499, None, (False, 499, None)),
        (refusal("soon"), 500, None, (True, 429, None)),
        # A valid wait that somebody decided stays, an invalid one makes way.
        (refusal(60), 429, "17", (True, 429, "17")),
        (refusal(60), 500, "17", (True, 429, "17")),
        (refusal(60), 500, "soon", (True, 429, "60")),
        # A limiter's own.
        (None, 429, "16.2", (True, 429, "17")),
        (None, 429, "3600.5", (True, 429, None)),
        # What nobody refused.
        (OTHER, 429, None, (False, 429, None)),
        (OTHER, 500, None, (False, 500, None)),
        (OTHER, 429, "soon", (False, 429, "soon")),
    ],
)
def test_a_refusal_is_a_429_in_whole_seconds_and_counted(monkeypatch, error, status, wait, told):
    monkeypatch.setattr(metrics, "refused", counted := Mock())
    made = HTTPException(status, str(error), None if wait is None else {"retry-after": wait})
    made = below(made, error)
    answer = JSONResponse({"detail": made.detail}, made.status_code, made.headers)
    headers = [(b"origin", b"https://page.example")]
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": headers})
    body = answer.body
    was = say_valid_retry_after(answer, request, made)
    assert (was, answer.status_code, answer.headers.get("retry-after")) == told
    assert answer.body == body
    assert [call.args[0] for call in counted.mock_calls] == ["proxy-app-http"] * was
    waits = ", ".join(name for name in WAIT_HEADERS if name in answer.headers)
    exposed = dict(answer.raw_headers).get(b"Access-Control-Expose-Headers", b"")
    assert exposed.decode() == (waits if was else "")
