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

import litellm_patch
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
        """The status, the headers and the body of an answer, and what the endpoint let escape."""
        self.app.add_api_route("/", raising if callable(raising) else raises(raising))
        asked = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive():
            if not asked:
                await asyncio.Event().wait()  # the client stays
            return asked.pop()

        scope = {"type": "http", "method": "GET", "http_version": "1.1", "scheme": "http"}
        sent, escaped = self._call({**scope, "headers": []}, receive)
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], headers, sent[1]["body"], escaped

    def answer_websocket(self, error):
        """What is sent, and what the endpoint let escape."""

        async def endpoint(websocket: WebSocket):
            raise error

        async def receive():
            return {"type": "websocket.connect"}

        self.app.router.add_websocket_route("/", endpoint)
        headers = [(b"origin", b"https://page")]
        return self._call({"type": "websocket", "headers": headers}, receive)

    def _call(self, scope, receive):
        sent = []

        async def send(message):
            sent.append(message)

        async def run():
            whole = {"path": "/", "root_path": "", "query_string": b"", **scope}
            try:
                await self.app(whole, receive, send)
            except Exception as error:
                # Older releases of Starlette let a group of one escape from a stream.
                return getattr(error, "exceptions", [error])[0]

        return sent, asyncio.run(run())


def raises(error):
    async def endpoint():
        raise error

    return endpoint


async def own(request, error):
    return PlainTextResponse("own", 418)


@pytest.mark.parametrize("make", [refusal, basic, limit, budget])
def test_a_refusal_is_answered_429_as_litellm_converts_it(make):
    proxy, error = Proxy([SEAM]), make()
    status, _, body, escaped = proxy.answer(error)
    assert (status, escaped, proxy.reached) == (429, None, ["proxy-app"])
    kind, param = getattr(error, "type", "None"), getattr(error, "param", "None")
    assert body == JSONResponse({"error": str(error), "type": kind, "param": param}).body


def test_type_and_param_of_the_refusal_are_told():
    error = refusal()
    error.type, error.param = "router_error", "model"
    _, _, body, _ = Proxy().answer(error)
    assert b'"type":"router_error","param":"model"' in body


@pytest.mark.parametrize(
    "error",
    [
        ValueError("something else"),
        UnicodeError("something else"),
        rate_limit("the provider is overloaded", "openai"),
        KeyError("x"),
        Unreadable(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_anything_else_escapes_as_it_is(error):
    proxy = Proxy()
    status, _, _, escaped = proxy.answer(error)
    assert (status, proxy.reached) == (500, [])
    assert escaped is error


@pytest.mark.parametrize("made", [500, 429, 404])
@pytest.mark.parametrize("error", [refusal(), ValueError("something else")], ids=["refusal", "no"])
def test_an_http_exception_made_of_a_refusal_is_a_429_with_the_same_body(error, made):
    async def endpoint():
        try:
            raise error
        except ValueError as caught:
            raise HTTPException(made, {"error": str(caught)})  # noqa: B904 - as LiteLLM does

    told, headers, body, escaped = Proxy().answer(endpoint)
    # That a deployment does not exist is not to be waited for.
    refused = isinstance(error, RouterRateLimitError) and made != 404
    assert (told, escaped) == (429 if refused else made, None)
    assert str(error).split("'")[0].encode() in body
    assert headers.get("retry-after") == ("60" if refused else None)


@pytest.mark.parametrize("value, told", [("16.759601", "17"), ("60", "60"), (None, None)])
def test_a_limiters_http_exception_tells_whole_seconds(value, told):
    headers = {} if value is None else {"retry-after": value}
    error = HTTPException(429, "Crossed TPM / RPM", headers)
    status, headers, _, _ = Proxy().answer(error)
    assert (status, headers.get("retry-after")) == (429, told)


@pytest.mark.parametrize(
    "error", [refusal(), ValueError("not JSON"), rate_limit("overloaded", "openai")]
)
def test_an_error_after_the_start_of_a_response_stays_what_it_is(error):
    async def endpoint():
        async def content():
            yield b"begun"
            raise error

        return StreamingResponse(content())

    status, _, body, escaped = Proxy().answer(endpoint)
    assert (status, body) == (200, b"begun")
    assert escaped is error


@pytest.mark.parametrize(
    "error", [refusal(), budget(), ValueError("something else")], ids=["refusal", "budget", "other"]
)
def test_a_websocket_ends_as_without_us(error):
    patched = Proxy()
    assert patched.answer_websocket(error) == Proxy([]).answer_websocket(error)
    assert patched.answer_websocket(error)[1] is error
    assert patched.reached == []


def test_a_websocket_that_a_limiter_denies_is_told_whole_seconds():
    error = HTTPException(429, "Crossed TPM / RPM", {"retry-after": "16.7"})
    (sent, escaped), (stock, _) = (Proxy(on).answer_websocket(error) for on in (OF_THE_APP, []))
    assert escaped is None
    # Newer releases of Starlette answer the handshake, with headers.
    assert waits(stock) in ([], [b"16.7"])
    assert waits(sent) == [b"17"] * len(waits(stock))
    without = {"headers": None}
    assert [{**each, **without} for each in sent] == [{**each, **without} for each in stock]


def waits(messages):
    return [dict(each["headers"]).get(b"retry-after") for each in messages if "headers" in each]


@pytest.mark.parametrize("later", [True, False])
def test_a_handler_that_comes_later_has_the_last_word(later):
    proxy = Proxy([SEAM])
    if later:
        proxy.app.exception_handlers[ValueError] = own
    assert proxy.answer(budget())[0] == (418 if later else 429)
    assert proxy.reached == ([] if later else ["proxy-app"])


def handle(proxy, error, scope="http"):
    """Let the seam's own handler answer, as a stack does that was built before others came."""
    (ours,) = [
        handler
        for key, handler in proxy.app.exception_handlers.items()
        if getattr(key, "stands_for", None) is type(error)
    ]
    return asyncio.run(ours(types.SimpleNamespace(scope={"type": scope}), error))


def test_a_handler_that_the_built_stack_does_not_know_has_the_last_word_too():
    proxy, error = Proxy([SEAM]), refusal()
    proxy.app.exception_handlers[RouterRateLimitError] = own
    assert handle(proxy, error).status_code == 418
    assert proxy.reached == []


def test_on_a_websocket_somebody_elses_handler_of_a_base_class_answers():
    proxy = Proxy([SEAM])
    proxy.app.exception_handlers[ValueError] = own
    assert handle(proxy, refusal(), "websocket").status_code == 418
    assert handle(proxy, refusal(), None).status_code == 418
    assert handle(proxy, refusal()).status_code == 429


@pytest.mark.parametrize("fault", ["no handler of LiteLLM's", "ours fails"])
def test_a_refusal_that_cannot_be_converted_escapes(monkeypatch, lines, fault):
    proxy, error = Proxy([SEAM]), refusal()
    if fault == "ours fails":
        monkeypatch.setattr(proxy_app, "_as_proxy_exception", lambda *given: 1 / 0)
    else:
        del proxy.app.exception_handlers[ProxyException]
    assert proxy.answer(error)[-1] is error
    said = "seam proxy-app failed, the refusal goes on as without it: ZeroDivisionError in "
    assert [line.getMessage().startswith(said) for line in lines] == [True] * (
        fault == "ours fails"
    )


@pytest.mark.parametrize("kind", [None, StarletteHTTPException, ValueError, RouterRateLimitError])
def test_ours_go_and_those_that_were_registered_after_them_stay(kind):
    proxy = Proxy()
    later = {} if kind is None else {kind: own}
    proxy.app.exception_handlers.update(later)
    for undo in proxy.undos:
        undo()
    assert proxy.app.exception_handlers == {**proxy.stock, **later}


def test_deactivate_leaves_a_handler_that_was_registered_after_ours(stock):
    from litellm.proxy.proxy_server import app

    before = dict(app.exception_handlers)
    litellm_patch.activate()
    try:
        assert app.exception_handlers != before
        app.exception_handlers[StarletteHTTPException] = own
        litellm_patch.deactivate()
        assert app.exception_handlers == {**before, StarletteHTTPException: own}
    finally:
        app.exception_handlers[StarletteHTTPException] = before[StarletteHTTPException]


def unfit(app) -> str:
    """Why the seam does not fit an app, which is left as it is."""
    before = dict(getattr(app, "exception_handlers", ()))
    with pytest.raises(DoesNotFit) as caught:
        SEAM.joint.attach(types.SimpleNamespace(app=app), SEAM, lambda: None)
    assert dict(getattr(app, "exception_handlers", ())) == before
    return str(caught.value)


@pytest.mark.parametrize("make", [refusal, basic, limit, budget])
def test_an_app_that_handles_a_refusal_itself_is_left_alone(make):
    app = FastAPI(exception_handlers={ProxyException: own, type(make()): own})
    assert unfit(app) == "the app already has a handler for a refusal of the router"


@pytest.mark.parametrize("app", [None, object(), types.SimpleNamespace(exception_handlers=[])])
def test_an_object_that_is_no_app_is_left_alone(app):
    assert unfit(app) == f"{type(app).__name__} has no table of exception handlers"


def test_an_exception_that_takes_something_else_is_left_alone(monkeypatch):
    class Other(Exception):
        def __init__(self, message, type, param):
            pass

    monkeypatch.setattr(sys.modules["litellm.proxy._types"], "ProxyException", Other)
    assert unfit(FastAPI()) == "ProxyException has no parameter code"
    monkeypatch.setattr(sys.modules["litellm.proxy._types"], "ProxyException", own)
    assert unfit(FastAPI()) == "litellm.proxy._types has no class ProxyException"
