"""What becomes of the answer to an `HTTPException`: a refusal is a 429, in whole seconds."""

from __future__ import annotations

import types

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from litellm_patch.seams.answer.limiter_answers import say_valid_retry_after

OF_NO_PAGE = Request({"type": "http", "method": "GET", "path": "/", "headers": []})


def refusal(cooldown_time):
    from litellm.types.router import RouterRateLimitError

    return RouterRateLimitError(
        model="m", cooldown_time=cooldown_time, enable_pre_call_checks=False, cooldown_list=[]
    )


def made_of(error, status, **headers) -> HTTPException:
    """LiteLLM's conversion of an error, which says what it says."""
    made = HTTPException(status, str(error), headers or None)
    made.__context__ = error
    return made


def answer_to(error: HTTPException) -> JSONResponse:
    return JSONResponse({"detail": error.detail}, error.status_code, error.headers)


def told(error: HTTPException):
    """Whether it was a refusal, and the answer that is told."""
    answer = answer_to(error)
    body = answer.body
    was = say_valid_retry_after(answer, OF_NO_PAGE, error)
    assert answer.body == body
    return was, answer.status_code, answer.headers.get("retry-after")


@pytest.mark.parametrize("status", [429, 500, 501, 503])
def test_a_refusal_is_a_429(status):
    assert told(made_of(refusal(60), status)) == (True, 429, "60")


@pytest.mark.parametrize("status", [404, 428, 430, 499])
def test_a_refusal_that_a_client_is_to_blame_for_stays_what_it_is(status):
    assert told(made_of(refusal(60), status)) == (False, status, None)


@pytest.mark.parametrize("status", [429, 500])
def test_another_failure_stays_what_it_is(status):
    error = made_of(ValueError("something else"), status)
    assert told(error) == (False, status, None)
    error = HTTPException(429, "soon", {"retry-after": "soon"})
    assert told(error) == (False, 429, "soon")


@pytest.mark.parametrize("status", [429, 500])
def test_a_valid_wait_that_somebody_decided_stays(status):
    assert told(made_of(refusal(60), status, **{"retry-after": "17"})) == (True, 429, "17")


def test_an_invalid_wait_makes_way():
    assert told(made_of(refusal(60), 500, **{"retry-after": "soon"})) == (True, 429, "60")
    assert told(HTTPException(429, "limited", {"retry-after": "16.2"})) == (True, 429, "17")


def test_what_is_out_of_reach_is_not_told():
    error = HTTPException(429, "limited", {"retry-after": "3600.5", "x": "y"})
    answer = answer_to(error)
    assert say_valid_retry_after(answer, OF_NO_PAGE, error) is True
    headers = {k: v for k, v in answer.headers.items() if not k.startswith("content-")}
    assert headers == {"x": "y", "x-should-retry": "false"}


def test_a_refusal_without_a_usable_time_is_a_429_all_the_same():
    assert told(made_of(refusal("soon"), 500)) == (True, 429, None)


@pytest.mark.parametrize("status", [None, "429", object()])
def test_an_answer_of_another_kind_is_left_alone(status):
    answer = types.SimpleNamespace(status_code=status)
    assert say_valid_retry_after(answer, OF_NO_PAGE, made_of(refusal(60), 429)) is False
    assert say_valid_retry_after(object(), OF_NO_PAGE, made_of(refusal(60), 429)) is False


def test_a_page_of_another_origin_may_read_the_wait():
    error = made_of(refusal(60), 500)
    answer = answer_to(error)
    headers = [(b"origin", b"https://page.example")]
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": headers})
    assert say_valid_retry_after(answer, request, error) is True
    told = (b"Access-Control-Expose-Headers", b"retry-after, retry-after-ms")
    assert told in answer.raw_headers
