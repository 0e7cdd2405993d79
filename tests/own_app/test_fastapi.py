"""An app of one's own around `litellm.Router`, served by uvicorn, in front of the stand-in."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Callable

import litellm
import openai
import pytest
import uvicorn
from conftest import checks_rpm_before_a_call
from fastapi import APIRouter, FastAPI, WebSocket
from litellm.types.router import RouterRateLimitError
from own_router import complete, cooling_router, patch, refusal
from polling import until
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from litellm_patch.fastapi import install
from litellm_patch.seams.app_handlers import OnlySome
from litellm_patch.tools.lab.client import Response, call
from litellm_patch.tools.lab.proxy import free_port, group
from litellm_patch.tools.lab.stand_in import StandIn

COOLDOWN = 20  # seconds


@pytest.fixture
def router(stand_in: StandIn) -> litellm.Router:
    return cooling_router(stand_in, ["own-a", "own-b"], COOLDOWN)


async def ask(router: litellm.Router) -> object:
    return await router.acompletion(model="m", messages=[{"role": "user", "content": "x"}])


@contextmanager
def serving(app: Starlette) -> Iterator[str]:
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def get(app: Starlette, path: str = "/ask") -> Response:
    with serving(app) as url:
        return call(url, path, None, {})


def app_of(endpoint: Callable[[], object]) -> FastAPI:
    app, routes = FastAPI(), APIRouter()
    routes.get("/ask")(endpoint)
    app.include_router(routes)
    return app


def fastapi_app(router: litellm.Router) -> FastAPI:
    async def endpoint() -> object:
        return await ask(router)

    return app_of(endpoint)


def synchronous_app(router: litellm.Router) -> FastAPI:
    def endpoint() -> object:
        return complete(router)

    return app_of(endpoint)


def failing_app(error: Exception) -> FastAPI:
    async def endpoint() -> None:
        raise error

    return app_of(endpoint)


def starlette_app(router: litellm.Router) -> Starlette:
    async def endpoint(request: object) -> PlainTextResponse:
        return PlainTextResponse(str(await ask(router)))

    return Starlette(routes=[Route("/ask", endpoint)])


def assert_tells(answer: Response, seconds: range) -> None:
    assert answer.status == 429
    assert answer.retry_after is not None
    assert int(answer.retry_after) in seconds
    assert -(-int(answer.all("retry-after-ms")[0]) // 1000) == int(answer.retry_after)


@pytest.mark.parametrize("make_app", [fastapi_app, starlette_app])
def test_a_refusal_becomes_a_429_that_tells_the_wait(router, make_app):
    app = make_app(router)
    install(app)
    answer = get(app)
    assert_tells(answer, range(10, COOLDOWN + 1))
    error = json.loads(answer.body)["error"]
    assert error["type"] == "rate_limit_error"
    assert "own-a" not in answer.body.decode()


def test_it_works_on_an_app_that_is_serving_already(router):
    app = fastapi_app(router)
    with serving(app) as url:
        assert call(url, "/ask", None, {}).status == 500
        install(app)
        assert call(url, "/ask", None, {}).status == 429


@pytest.mark.parametrize("outer", [Starlette, FastAPI])
def test_it_works_in_a_mounted_app(router, outer):
    app, inner = outer(), fastapi_app(router)
    app.mount("/inner", inner)
    install(inner)
    assert_tells(get(app, "/inner/ask"), range(10, COOLDOWN + 1))


LIMITS = {
    "checks": {"enable_pre_call_checks": True},
    "usage": {"routing_strategy": "usage-based-routing-v2"},
}


@pytest.fixture
def limited(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> Callable[..., litellm.Router]:
    """Make a real router whose deployments take one request a minute each.

    What an earlier router counted stays out of it: LiteLLM keeps the callbacks of all routers.
    """
    monkeypatch.setattr(litellm, "callbacks", [])

    def make(limit: str, name: str) -> litellm.Router:
        model_list = group("m", stand_in.url, [f"{name}-{limit}-a", f"{name}-{limit}-b"], rpm=1)
        return litellm.Router(model_list=model_list, num_retries=0, **LIMITS[limit])

    return make


LIMITED = [("usage", fastapi_app), ("usage", synchronous_app)]
if checks_rpm_before_a_call():  # and counts no calls that are not asynchronous
    LIMITED.append(("checks", fastapi_app))


@pytest.mark.parametrize("limit, make_app", LIMITED)
def test_a_limit_of_a_deployment_tells_the_rest_of_its_minute(limited, limit, make_app):
    app = make_app(limited(limit, make_app.__name__))
    install(app)
    install(app)  # again is as good as once
    with serving(app) as url:
        answers = [call(url, "/ask", None, {}) for _ in range(8)]
    assert {answer.status for answer in answers} == {200, 429}
    assert_tells(next(answer for answer in answers if answer.status == 429), range(1, 61))


REFUSAL, NOT_JSON = refusal(), ValueError("not JSON")
OF_A_PROVIDER = litellm.RateLimitError("the provider refuses", llm_provider="openai", model="m")


@pytest.mark.parametrize(
    "error, handled, before, status",
    [
        (NOT_JSON, None, False, 500),
        (OF_A_PROVIDER, None, False, 500),
        (OF_A_PROVIDER, openai.APIError, False, 418),
        (OF_A_PROVIDER, litellm.RateLimitError, True, 418),
        (REFUSAL, RouterRateLimitError, False, 418),
        (REFUSAL, RouterRateLimitError, True, 429),
        (REFUSAL, ValueError, False, 429),
        (REFUSAL, ValueError, True, 429),
    ],
)
def test_an_apps_own_handler_has_what_is_no_refusal_or_the_last_word_if_it_is_as_close_and_later(
    error, handled, before, status
):
    app = failing_app(error)
    if before:
        app.add_exception_handler(handled, lambda *_: PlainTextResponse("own", 418))
    install(app)
    if handled and not before:
        app.add_exception_handler(handled, lambda *_: PlainTextResponse("own", 418))
    assert get(app).status == status


def test_clients_of_an_app_are_given_different_times(router):
    app = fastapi_app(router)
    install(app)
    with patch(on=True), serving(app) as url:
        told = [call(url, "/ask", None, {}).all("retry-after-ms")[0] for _ in range(5)]
    # Each later than the one before, although less and less is left of the cooldown.
    assert [int(ms) for ms in told] == sorted({int(ms) for ms in told})


def test_with_the_hook_the_header_is_the_time_left_and_without_it_the_cooldown(router):
    app = fastapi_app(router)
    install(app)
    time.sleep(2)
    with patch(on=False):
        assert get(app).retry_after == str(COOLDOWN)
    with patch(on=True):
        assert_tells(get(app), range(10, COOLDOWN - 1))


def test_the_body_may_be_the_apps_own(router):
    app = fastapi_app(router)
    install(app, body=lambda refusal, seconds: {"wait": seconds is not None})
    with serving(app) as url:
        assert json.loads(call(url, "/ask", None, {}).body) == {"wait": True}
        install(app, body=lambda refusal, seconds: "second")
        assert json.loads(call(url, "/ask", None, {}).body) == "second"
    assert len([key for key in app.exception_handlers if isinstance(key, OnlySome)]) == 4


def test_a_websocket_ends_as_without_us():
    app = FastAPI()

    @app.websocket("/ask")
    async def endpoint(socket: WebSocket) -> None:
        await socket.accept()
        raise REFUSAL

    install(app)
    with pytest.raises(ValueError) as caught, TestClient(app).websocket_connect("/ask") as socket:
        socket.receive_text()
    assert caught.value is REFUSAL


def test_a_body_that_fails_does_not_hide_the_refusal(router):
    app = fastapi_app(router)
    install(app, body=lambda refusal, seconds: object())
    assert_tells(get(app), range(10, COOLDOWN + 1))


def test_a_page_of_another_origin_may_read_what_it_is_told(router):
    app = fastapi_app(router)
    app.add_middleware(CORSMiddleware, allow_origins=["*"], expose_headers=["x-own"])
    install(app)
    with serving(app) as url:
        answer = call(url, "/ask", None, {"origin": "http://page.example"})
    exposed = ",".join(answer.all("access-control-expose-headers")).replace(" ", "").split(",")
    assert sorted(exposed) == ["retry-after", "retry-after-ms", "x-own"]


def test_something_that_is_no_app_is_told_so():
    with pytest.raises(TypeError, match="no table of exception handlers"):
        install(object())
