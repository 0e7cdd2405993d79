"""What becomes of the answer to an `HTTPException`: a refusal is a 429, in whole seconds."""

from __future__ import annotations

import asyncio
import types

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from litellm_patch.seams import limiter_answers
from litellm_patch.seams.limiter_answers import ValidRetryAfter
from litellm_patch.seams.seam import DoesNotFit
from litellm_patch.seams.table import SEAMS

(SEAM,) = [seam for seam in SEAMS if isinstance(seam.joint, ValidRetryAfter)]


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
    was = limiter_answers._tell(answer, error, "s")
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
    assert limiter_answers._tell(answer, error, "s") is True
    headers = {k: v for k, v in answer.headers.items() if not k.startswith("content-")}
    assert headers == {"x": "y", "x-should-retry": "false"}


def test_a_refusal_without_a_usable_time_is_a_429_all_the_same():
    assert told(made_of(refusal("soon"), 500)) == (True, 429, None)


@pytest.mark.parametrize("status", [None, "429", object()])
def test_an_answer_of_another_kind_is_left_alone(status):
    answer = types.SimpleNamespace(status_code=status)
    assert limiter_answers._tell(answer, made_of(refusal(60), 429), "s") is False
    assert limiter_answers._tell(object(), made_of(refusal(60), 429), "s") is False


class App:
    """An app with the seam on it, whose own handler gives what `answer` makes."""

    def __init__(self, answer=answer_to) -> None:
        self.reached = 0
        self.own = lambda request, error: answer(error)
        self.exception_handlers = {HTTPException: self.own}
        self.undo = SEAM.joint.attach(types.SimpleNamespace(app=self), SEAM, self.count)

    def count(self) -> None:
        self.reached += 1

    def answer(self, error, kind="http"):
        headers = [(b"origin", b"https://page.example")]
        request = Request({"type": "http", "method": "GET", "path": "/", "headers": headers})
        request.scope["type"] = kind
        return asyncio.run(self.exception_handlers[HTTPException](request, error))


def test_a_page_of_another_origin_may_read_the_wait():
    app = App()
    answer = app.answer(made_of(refusal(60), 500))
    assert (answer.status_code, app.reached) == (429, 1)
    told = (b"Access-Control-Expose-Headers", b"retry-after, retry-after-ms")
    assert told in answer.raw_headers


def test_by_another_failure_it_is_not_reached():
    app = App()
    answer = app.answer(HTTPException(429, "no time", {"retry-after": "soon"}))
    assert (answer.headers["retry-after"], app.reached) == ("soon", 0)
    assert b"Access-Control-Expose-Headers" not in dict(answer.raw_headers)


def test_a_failure_of_ours_leaves_litellms_answer(lines):
    theirs = types.SimpleNamespace(status_code=500)
    assert App(lambda error: theirs).answer(made_of(refusal(60), 500)) is theirs
    assert theirs.status_code == 500
    said = "seam proxy-app-http failed, LiteLLM's own answer stands: AttributeError in "
    assert [line.getMessage().startswith(said) for line in lines] == [True]


def test_litellms_handler_comes_back():
    app = App()
    assert app.exception_handlers[HTTPException] is not app.own
    app.undo()
    assert app.exception_handlers == {HTTPException: app.own}


def test_an_app_without_a_handler_is_left_alone():
    app = types.SimpleNamespace(exception_handlers={})
    with pytest.raises(DoesNotFit) as caught:
        SEAM.joint.attach(types.SimpleNamespace(app=app), SEAM, lambda: None)
    assert str(caught.value) == "litellm.proxy.proxy_server:app handles no HTTPException"
    assert app.exception_handlers == {}
