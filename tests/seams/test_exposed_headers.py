"""A page of another origin may read the wait of a 429, and nothing else is exposed."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse

from litellm_patch.seams.answer.exposed_headers import expose

NAME = b"Access-Control-Expose-Headers"
WAIT = {"retry-after": "5", "retry-after-ms": "4100"}


@pytest.mark.parametrize(
    "status, headers, origin, exposed",
    [
        (429, WAIT, True, [b"retry-after, retry-after-ms"]),
        (429, {"retry-after": "5", "x": "y"}, True, [b"retry-after"]),
        (429, {"x-should-retry": "false"}, True, [b"x-should-retry"]),
        (429, {"x": "y"}, True, []),
        (429, WAIT, False, []),
        (200, WAIT, True, []),
        (430, WAIT, True, []),
    ],
)
def test_a_page_may_read_the_wait_of_a_429_and_nothing_else(status, headers, origin, exposed):
    raw = [(b"origin", b"https://page.example")] if origin else []
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": raw})
    answer = JSONResponse({}, status, headers)
    assert expose(answer, request) is bool(exposed)
    assert [value for name, value in answer.raw_headers if name == NAME] == exposed
