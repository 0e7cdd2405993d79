"""What leaves an endpoint as an exception: a refusal is answered 429, all else is as without us."""

from __future__ import annotations

import asyncio
import types

import pytest

import litellm_patch
from litellm_patch.seams.table import SEAMS

BUDGET = "No deployments available - crossed budget: Exceeded budget for provider openai: 3 >= 1"


def refusal():
    from litellm.types.router import RouterRateLimitError

    return RouterRateLimitError(
        model="m", cooldown_time=60, enable_pre_call_checks=False, cooldown_list=[]
    )


def rate_limit(provider, message):
    from litellm.exceptions import RateLimitError

    return RateLimitError(message, llm_provider=provider, model="m")


@pytest.fixture
def answer():
    """Let an endpoint raise in an app like LiteLLM's; its answer, and what it let escape."""
    from fastapi import FastAPI
    from litellm.proxy._types import ProxyException
    from starlette.responses import JSONResponse

    async def convert(request, error):
        return JSONResponse({"error": error.message}, int(error.code), error.headers)

    def ask(raising):
        app = FastAPI(exception_handlers={ProxyException: convert})
        app.add_api_route("/", raising)
        for seam in SEAMS:
            if seam.module == "litellm.proxy.proxy_server":
                seam.joint.attach(types.SimpleNamespace(app=app), seam, lambda: None)
        return asyncio.run(call(app))

    return ask


async def call(app):
    sent = []

    request = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive():
        if not request:
            await asyncio.Event().wait()  # the client stays
        return request.pop()

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    escaped = None
    try:
        await app(
            {**scope, "http_version": "1.1", "scheme": "http", "root_path": ""}, receive, send
        )
    except Exception as error:
        # Older releases of Starlette let a group of one escape from a stream.
        escaped = getattr(error, "exceptions", [error])[0]
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, sent[1]["body"], escaped


class Unreadable(ValueError):
    def __str__(self):
        raise ZeroDivisionError


def raises(error):
    async def endpoint():
        raise error

    return endpoint


@pytest.mark.parametrize(
    "error",
    [refusal, lambda: ValueError(BUDGET), lambda: rate_limit("", "Deployment over defined rpm")],
)
def test_a_refusal_is_answered_429(answer, error):
    status, _, body, escaped = answer(raises(error()))
    assert (status, escaped) == (429, None)
    assert str(error()).split(",")[0].encode() in body


@pytest.mark.parametrize(
    "error",
    [
        lambda: ValueError("something else"),
        lambda: UnicodeError("something else"),
        lambda: rate_limit("openai", "the provider is overloaded"),
        lambda: KeyError("x"),
        Unreadable,
    ],
)
def test_anything_else_escapes_as_it_is(answer, error):
    error = error()
    status, _, _, escaped = answer(raises(error))
    assert status == 500
    assert escaped is error


@pytest.mark.parametrize("made", [500, 429, 404])
@pytest.mark.parametrize(
    "error, refused",
    [(refusal(), True), (ValueError("something else"), False)],
    ids=["a refusal", "another failure"],
)
def test_an_http_exception_made_of_a_refusal_is_a_429_with_the_same_body(
    answer, error, refused, made
):
    from fastapi import HTTPException

    async def endpoint():
        try:
            raise error
        except ValueError as caught:
            raise HTTPException(made, {"error": str(caught)})  # noqa: B904 - as LiteLLM does

    told, headers, body, escaped = answer(endpoint)
    refused = refused and made != 404  # that the deployment does not exist is not to be waited for
    assert (told, escaped) == (429 if refused else made, None)
    assert str(error).split("'")[0].encode() in body
    assert headers.get("retry-after") == ("60" if refused else None)


@pytest.mark.parametrize("value, told", [("16.759601", "17"), ("60", "60"), (None, None)])
def test_a_limiters_http_exception_tells_whole_seconds(answer, value, told):
    from fastapi import HTTPException

    headers = {} if value is None else {"retry-after": value}
    status, headers, _, _ = answer(raises(HTTPException(429, "Crossed TPM / RPM", headers)))
    assert (status, headers.get("retry-after")) == (429, told)


STREAMED = [refusal, lambda: ValueError("not JSON"), lambda: rate_limit("openai", "overloaded")]


@pytest.mark.parametrize("error", STREAMED)
def test_an_error_after_the_start_of_a_response_stays_what_it_is(answer, error):
    from starlette.responses import StreamingResponse

    error = error()

    async def endpoint():
        async def content():
            yield b"begun"
            raise error

        return StreamingResponse(content())

    status, _, body, escaped = answer(endpoint)
    assert (status, body) == (200, b"begun")
    assert escaped is error


@pytest.mark.parametrize("kind", ["HTTPException", "ValueError", "RouterRateLimitError"])
def test_a_handler_that_was_registered_after_ours_stays_when_ours_go(kind):
    from fastapi import FastAPI, HTTPException
    from litellm.proxy._types import ProxyException
    from litellm.types.router import RouterRateLimitError

    kind = {"HTTPException": HTTPException, "ValueError": ValueError}.get(kind) or (
        RouterRateLimitError
    )
    kind = (
        kind.__mro__[1] if kind is HTTPException else kind
    )  # Starlette's, which LiteLLM's app has
    app = FastAPI(exception_handlers={ProxyException: theirs})
    stock = dict(app.exception_handlers)
    undo = [
        seam.joint.attach(types.SimpleNamespace(app=app), seam, lambda: None)
        for seam in SEAMS
        if seam.module == "litellm.proxy.proxy_server"
    ]
    app.exception_handlers[kind] = theirs
    for each in undo:
        each()
    assert app.exception_handlers == {**stock, kind: theirs}


def test_deactivate_leaves_a_handler_that_was_registered_after_ours(stock):
    from litellm.proxy.proxy_server import app
    from starlette.exceptions import HTTPException

    before = dict(app.exception_handlers)
    litellm_patch.activate()
    try:
        assert app.exception_handlers != before
        app.exception_handlers[HTTPException] = theirs
        litellm_patch.deactivate()
        assert app.exception_handlers == {**before, HTTPException: theirs}
    finally:
        app.exception_handlers[HTTPException] = before[HTTPException]


async def theirs(request, error):
    raise NotImplementedError


@pytest.mark.parametrize("later", [True, False])
def test_a_handler_registered_later_for_the_same_class_has_the_last_word(answer, later):
    from fastapi import FastAPI
    from litellm.proxy._types import ProxyException
    from starlette.responses import PlainTextResponse

    async def convert(request, error):
        return PlainTextResponse("converted", 429)

    async def own(request, error):
        return PlainTextResponse("own", 418)

    app = FastAPI(exception_handlers={ProxyException: convert})
    app.add_api_route("/", raises(ValueError(BUDGET)))
    (seam,) = [each for each in SEAMS if each.name == "proxy-app"]
    seam.joint.attach(types.SimpleNamespace(app=app), seam, lambda: None)
    if later:
        app.exception_handlers[ValueError] = own
    assert asyncio.run(call(app))[0] == (418 if later else 429)


def on_a_websocket(error, with_seams):
    """What an app like LiteLLM's sends, and lets escape, if an endpoint raises at once."""
    from fastapi import FastAPI, WebSocket
    from litellm.proxy._types import ProxyException

    app, sent = FastAPI(exception_handlers={ProxyException: theirs}), []

    async def endpoint(websocket: WebSocket):
        raise error

    app.router.add_websocket_route("/", endpoint)
    for seam in SEAMS:
        if with_seams and seam.module == "litellm.proxy.proxy_server":
            seam.joint.attach(types.SimpleNamespace(app=app), seam, lambda: None)

    async def run():
        async def receive():
            return {"type": "websocket.connect"}

        async def send(message):
            sent.append(message)

        scope = {"type": "websocket", "path": "/", "headers": [(b"origin", b"https://page")]}
        try:
            await app({**scope, "query_string": b"", "root_path": ""}, receive, send)
        except Exception as caught:
            return caught

    return asyncio.run(run()), sent


@pytest.mark.parametrize(
    "error",
    [refusal, lambda: ValueError(BUDGET), lambda: ValueError("something else")],
    ids=["refusal", "budget", "another error"],
)
def test_a_websocket_ends_as_without_us(error):
    error = error()
    with_seams, without = (on_a_websocket(error, seams) for seams in (True, False))
    assert with_seams == without
    assert with_seams[0] is error


def test_a_websocket_that_a_limiter_denies_is_told_whole_seconds():
    from fastapi import HTTPException

    error = HTTPException(429, "Crossed TPM / RPM", {"retry-after": "16.7"})
    (escaped, sent), (_, stock) = (on_a_websocket(error, seams) for seams in (True, False))
    assert escaped is None
    # Newer releases of Starlette answer the handshake, with headers.
    assert waits(stock) in ([], [b"16.7"])
    assert waits(sent) == [b"17"] * len(waits(stock))
    assert [{**each, "headers": None} for each in sent] == [
        {**each, "headers": None} for each in stock
    ]


def waits(messages):
    return [dict(each["headers"]).get(b"retry-after") for each in messages if "headers" in each]
