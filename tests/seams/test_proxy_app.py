"""Exceptions that escape an endpoint: a refusal is answered 429, others as without the patch."""

from __future__ import annotations

import asyncio
import sys
import types

import pytest
from fastapi import FastAPI, HTTPException, WebSocket
from litellm.proxy._types import ProxyException
from litellm.types.router import RouterRateLimitError
from litellm_errors import basic, budget, limit, rate_limit, refusal
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.testclient import TestClient

from litellm_patch.seams.answer import proxy_app
from litellm_patch.seams.seam import DoesNotFit
from litellm_patch.seams.table import SEAMS

OF_THE_APP = [seam for seam in SEAMS if seam.module == "litellm.proxy.proxy_server"]
(SEAM,) = [seam for seam in OF_THE_APP if isinstance(seam.joint, proxy_app.RefusalHandler)]


class Unreadable(ValueError):
    def __str__(self):
        raise ZeroDivisionError


class Proxy:
    """An app with LiteLLM's handler, and the seams of the app on it."""

    def __init__(self, seams=OF_THE_APP) -> None:
        async def convert(request, error):
            content = {"error": error.message, "type": error.type, "param": error.param}
            return JSONResponse(content, int(error.code), error.headers)

        self.app = FastAPI(exception_handlers={ProxyException: convert})
        self.stock = dict(self.app.exception_handlers)
        self.reached: list[str] = []
        module = types.SimpleNamespace(app=self.app)
        self.undos = [
            seam.joint.attach(module, seam, lambda seam=seam: self.reached.append(seam.name))
            for seam in seams
        ]

    def answer(self, raising):
        """The answer, or what the endpoint let escape."""
        self.app.add_api_route("/", raising if callable(raising) else raises(raising))
        return self._ask(lambda client: client.get("/"))

    def answer_websocket(self, error):
        """What the endpoint let escape."""

        async def endpoint(websocket: WebSocket):
            raise error

        self.app.router.add_websocket_route("/", endpoint)
        headers = {"origin": "https://page"}
        return self._ask(lambda client: client.websocket_connect("/", headers=headers).__enter__())

    def _ask(self, ask):
        try:
            return ask(TestClient(self.app))
        except Exception as error:
            # Older releases of Starlette let a group of one escape from a stream.
            return getattr(error, "exceptions", [error])[0]


def raises(error):
    async def endpoint():
        raise error

    return endpoint


async def own(request, error):
    return PlainTextResponse("own", 418)


@pytest.mark.parametrize("make", [refusal, basic, limit, budget])
def test_a_refusal_is_answered_429_as_litellm_converts_it(make):
    proxy, error = Proxy([SEAM]), make()
    answer = proxy.answer(error)
    assert (answer.status_code, proxy.reached) == (429, ["proxy-app"])
    kind, param = getattr(error, "type", "None"), getattr(error, "param", "None")
    assert answer.json() == {"error": str(error), "type": kind, "param": param}


@pytest.mark.parametrize(
    "ask, error",
    [
        (Proxy.answer, ValueError("something else")),
        (Proxy.answer, UnicodeError("something else")),
        (Proxy.answer, rate_limit("the provider is overloaded", "openai")),
        (Proxy.answer, KeyError("x")),
        (Proxy.answer, Unreadable()),
        (Proxy.answer_websocket, ValueError("something else")),
        (Proxy.answer_websocket, refusal()),
        (Proxy.answer_websocket, budget()),
    ],
)
def test_anything_else_and_on_a_websocket_all_escapes_as_it_is(ask, error):
    proxy = Proxy()
    assert ask(proxy, error) is error
    assert proxy.reached == []


def test_a_limiters_http_exception_tells_whole_seconds():
    answer = Proxy().answer(HTTPException(429, "Crossed TPM / RPM", {"retry-after": "16.759601"}))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "17")


@pytest.mark.parametrize("error", [refusal(), ValueError("not JSON")])
def test_an_error_after_the_start_of_a_response_stays_what_it_is(error):
    async def endpoint():
        async def content():
            yield b"begun"
            raise error

        return StreamingResponse(content())

    assert Proxy().answer(endpoint) is error


def test_a_websocket_that_a_limiter_denies_is_told_whole_seconds():
    error = HTTPException(429, "Crossed TPM / RPM", {"retry-after": "16.7"})
    handshake = {"type": "websocket", "headers": [(b"origin", b"https://page")]}
    answers = Proxy().app.exception_handlers[StarletteHTTPException]
    # Newer releases of Starlette send it.
    denial = asyncio.run(answers(WebSocket(handshake, None, None), error))
    assert (denial.status_code, denial.headers["retry-after"]) == (429, "17")


def test_a_handler_that_comes_later_has_the_last_word():
    proxy = Proxy([SEAM])
    proxy.app.exception_handlers[ValueError] = own
    assert proxy.answer(budget()).status_code == 418
    assert proxy.reached == []


@pytest.mark.parametrize(
    "kind, scope, status",
    [
        (RouterRateLimitError, "http", 418),
        (ValueError, "http", 429),  # a handler of a base class, beside ours
        (ValueError, "websocket", 418),
        (ValueError, None, 418),
    ],
)
def test_one_that_a_stack_does_not_know_which_was_built_before_has_it_too(kind, scope, status):
    proxy = Proxy([SEAM])
    (ours,) = [
        handler
        for key, handler in proxy.app.exception_handlers.items()
        if getattr(key, "stands_for", None) is RouterRateLimitError
    ]
    proxy.app.exception_handlers[kind] = own
    request = types.SimpleNamespace(scope={"type": scope})
    assert asyncio.run(ours(request, refusal())).status_code == status
    assert proxy.reached == ["proxy-app"] * (status == 429)


def test_without_litellms_handler_a_refusal_escapes():
    proxy, error = Proxy([SEAM]), refusal()
    del proxy.app.exception_handlers[ProxyException]
    assert proxy.answer(error) is error


@pytest.mark.parametrize("kind", [None, StarletteHTTPException, ValueError, RouterRateLimitError])
def test_ours_go_and_those_that_were_registered_after_them_stay(kind):
    proxy = Proxy()
    later = {} if kind is None else {kind: own}
    proxy.app.exception_handlers.update(later)
    for undo in proxy.undos:
        undo()
    assert proxy.app.exception_handlers == {**proxy.stock, **later}


TAKEN = "the app already has a handler for a refusal of the router"


@pytest.mark.parametrize(
    "app, why",
    [
        *(
            (FastAPI(exception_handlers={ProxyException: own, type(make()): own}), TAKEN)
            for make in (refusal, basic, limit, budget)
        ),
        (None, "NoneType has no table of exception handlers"),
        (types.SimpleNamespace(exception_handlers=[]), "SimpleNamespace has no table of exc"),
    ],
)
def test_an_app_that_is_none_or_handles_a_refusal_itself_is_left_alone(app, why):
    before = dict(getattr(app, "exception_handlers", ()))
    with pytest.raises(DoesNotFit, match=f"^{why}"):
        SEAM.joint.attach(types.SimpleNamespace(app=app), SEAM, lambda: None)
    assert dict(getattr(app, "exception_handlers", ())) == before


class Other(Exception):
    def __init__(self, message, type, param):
        pass


@pytest.mark.parametrize(
    "made, why",
    [
        (Other, "ProxyException has no parameter code"),
        (own, "litellm.proxy._types has no class ProxyException"),
    ],
)
def test_an_exception_that_takes_something_else_is_left_alone(monkeypatch, made, why):
    monkeypatch.setattr(sys.modules["litellm.proxy._types"], "ProxyException", made)
    with pytest.raises(DoesNotFit, match=f"^{why}$"):
        SEAM.joint.attach(types.SimpleNamespace(app=FastAPI()), SEAM, lambda: None)
