"""A page of another origin may read the wait of a 429, and nothing else is exposed."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse

from litellm_patch.seams.answer.exposed_headers import expose

NAME = b"Access-Control-Expose-Headers"
WAIT = {"retry-after": "5", "retry-after-ms": "4100"}


def request(**headers: str) -> Request:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": raw})


OF_A_PAGE = request(origin="https://page.example")


def exposed(answer) -> list[bytes]:
    return [value for name, value in answer.raw_headers if name == NAME]


@pytest.mark.parametrize(
    "headers, names",
    [
        (WAIT, b"retry-after, retry-after-ms"),
        ({"retry-after": "5", "x": "y"}, b"retry-after"),
        ({"x-should-retry": "false"}, b"x-should-retry"),
    ],
)
def test_a_page_may_read_what_a_429_tells(headers, names):
    answer = JSONResponse({}, 429, headers)
    assert expose(answer, OF_A_PAGE) is True
    assert exposed(answer) == [names]


@pytest.mark.parametrize(
    "status, headers, asking",
    [
        (200, WAIT, OF_A_PAGE),
        (503, WAIT, OF_A_PAGE),
        (430, WAIT, OF_A_PAGE),
        (429, {"x": "y"}, OF_A_PAGE),
        (429, WAIT, request()),
    ],
)
def test_of_other_answers_nothing_is_exposed(status, headers, asking):
    answer = JSONResponse({}, status, headers)
    assert expose(answer, asking) is False
    assert exposed(answer) == []
