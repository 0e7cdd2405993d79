"""Which deployments LiteLLM's own router refused a request, in this process."""

from __future__ import annotations

import asyncio
import inspect
import sys
import time
from contextvars import Context

import pytest
from litellm_errors import refusal
from litellm_routers import cool, is_left, router_of

from litellm_patch.seams.record import asked_cooldowns
from litellm_patch.seams.refusal import cooling_deployments, refused_request
from litellm_patch.wait import marks
from litellm_patch.wait.exception_chain import COOLING

LASTS = {"a": 40, "b": 20}


@pytest.fixture(scope="module")
def router():
    return router_of(*LASTS)


@pytest.fixture(autouse=True)
def cooling(router, patched):
    cool(router, LASTS)


def refusal_of(router, kwargs=None):
    request = {"model": "m", "request_kwargs": kwargs or {}}
    messages = [{"role": "user", "content": "hi"}]
    with pytest.raises(ValueError) as caught:
        asyncio.run(router.async_get_available_deployment(messages=messages, **request))
    return caught.value


def seconds(error):
    mark = marks.get(error, COOLING)
    return mark and mark.ready_at and mark.ready_at - time.monotonic()


def test_the_first_of_all_deployments_is_told(router):
    headers = {"user-agent": "OpenAI/Python 3.57.0"}
    error = refusal_of(router, {"proxy_server_request": {"headers": headers}})
    assert is_left(seconds(error), 20)
    cooling = marks.get(error, COOLING)
    assert (cooling.cooldown, cooling.queue, cooling.honoured) == (20, "a|b", 120)


def test_the_synchronous_router_is_read_as_well(router):
    with pytest.raises(ValueError) as caught:
        router.get_available_deployment(model="m", messages=[{"role": "user", "content": "hi"}])
    assert is_left(seconds(caught.value), 20)


def test_where_the_request_cannot_be_read_the_name_decides(router, monkeypatch):
    monkeypatch.setattr(cooling_deployments, "candidates", lambda request: 1 / 0)
    monkeypatch.setattr(cooling_deployments, "_named_by", lambda refusal: None)
    error = refusal_of(router)
    assert is_left(seconds(error), 20)


def test_a_refusal_that_somebody_else_makes_keeps_its_own_number(router):
    assert marks.get(refusal(), COOLING) is None


@pytest.mark.parametrize("told, frame", [(20, True), (21, True), (20, None)])
def test_a_question_belongs_to_a_refusal_of_the_same_frame_and_number(told, frame):
    asked = asked_cooldowns.Asked("cache", ("a",), 20, id(sys._getframe()))
    asked_cooldowns._asked.set(asked)
    of_the_refusal = {"cooldown_time": told}, frame and sys._getframe()
    belongs = told == 20 and frame is not None
    assert asked_cooldowns.take_question(*of_the_refusal) is (asked if belongs else None)
    assert asked_cooldowns.take_question(*of_the_refusal) is None  # taken once
    assert (
        Context().run(asked_cooldowns.take_question, *of_the_refusal) is None
    )  # nothing was asked


def test_a_choice_that_waits_is_not_waited_for():
    async def waits():
        await asyncio.sleep(0)

    choice = waits()
    with pytest.raises(RuntimeError):
        refused_request._finished(choice)
    assert inspect.getcoroutinestate(choice) == inspect.CORO_CLOSED  # and warns of nothing
