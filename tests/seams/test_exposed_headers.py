"""A page of another origin may read the wait of a 429, and nothing else is exposed."""

from __future__ import annotations

import asyncio
import types

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse

from litellm_patch.seams.exposed_headers import ExposedHeaders, expose
from litellm_patch.seams.seam import DoesNotFit
from litellm_patch.seams.table import SEAMS

(SEAM,) = [seam for seam in SEAMS if isinstance(seam.joint, ExposedHeaders)]
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


@pytest.fixture
def attached():
    """Put the seam on an app whose handler gives `answer`; the handler, and how to take it off."""
    from litellm.proxy._types import ProxyException

    def attach(answer, reached):
        app = types.SimpleNamespace(exception_handlers={ProxyException: lambda *_: answer})
        undo = SEAM.joint.attach(types.SimpleNamespace(app=app), SEAM, reached)
        return app.exception_handlers, ProxyException, undo

    return attach


@pytest.mark.parametrize("status", [429, 200])
def test_it_is_reached_by_a_429_that_a_page_may_read(attached, status):
    answer, reached = JSONResponse({}, status, WAIT), []
    handlers, kind, _ = attached(answer, lambda: reached.append(1))
    assert asyncio.run(handlers[kind](OF_A_PAGE, None)) is answer
    assert len(exposed(answer)) == len(reached) == (status == 429)


def test_litellms_handler_comes_back(attached):
    answer = JSONResponse({}, 429, WAIT)
    handlers, kind, undo = attached(answer, lambda: None)
    undo()
    assert handlers[kind](OF_A_PAGE, None) is answer


def test_a_failure_of_ours_leaves_litellms_answer(attached, lines):
    handlers, kind, _ = attached(None, lambda: None)
    assert asyncio.run(handlers[kind](OF_A_PAGE, None)) is None
    told = "seam proxy-app-cors failed, LiteLLM's own answer stands: AttributeError in "
    assert [line.getMessage().startswith(told) for line in lines] == [True]


def test_an_app_without_litellms_handler_is_left_alone():
    app = types.SimpleNamespace(exception_handlers={})
    with pytest.raises(DoesNotFit) as caught:
        SEAM.joint.attach(types.SimpleNamespace(app=app), SEAM, lambda: None)
    assert str(caught.value) == "litellm.proxy.proxy_server:app handles no ProxyException"
    assert app.exception_handlers == {}
