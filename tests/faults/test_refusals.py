"""A whole refusal, from the router's cache to the answer, with clocks, caches and headers broken.

The same refusal is made without and with the patch: what LiteLLM raises and answers must be
the same, but for the header.
"""

from __future__ import annotations

import asyncio
import sys
import time
import types
from unittest.mock import Mock

import pytest
from conftest import has_rust_router
from litellm_routers import cool, router_of
from rubbish import ERRORS, VALUES, assert_quiet
from test_error_answers import OURS

import litellm_patch
from litellm_patch.seams.record import cooldown_cache
from litellm_patch.seams.record.shared_expiry import SharedExpiries
from litellm_patch.seams.record.shared_queue import SharedQueues
from litellm_patch.wait.known_rate import KnownRate
from litellm_patch.wait.shared_pacing import Waiting

CONFIGURED = 60
COOLED = {"a": CONFIGURED, "b": CONFIGURED}
GIVEN = {**VALUES, **{name: error("sk-secret-1234") for name, error in ERRORS.items()}}
"""What a broken part gives: an exception is raised, anything else is returned."""


def giving(name: str):
    value = GIVEN[name]
    return Mock(side_effect=value) if name in ERRORS else Mock(return_value=value)


@pytest.fixture(scope="module")
def router(litellm_modules):
    return router_of(*COOLED, cooldown_time=CONFIGURED)


def outcome(router) -> tuple:
    """What the router raises, and what the proxy's own handler answers to it."""
    from litellm.proxy._types import ProxyException
    from litellm.proxy.proxy_server import app
    from starlette.requests import Request

    try:
        router.get_available_deployment(
            model="m", messages=[{"role": "user", "content": "sk-secret-1234"}]
        )
    except Exception as refusal:
        error = ProxyException(str(refusal), "None", "None", 429, {"x": "1"})
        raised = type(refusal), getattr(refusal, "cooldown_time", None)
    else:
        raise AssertionError("the group is not cooling")
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": []})
    answer = asyncio.run(app.exception_handlers[ProxyException](request, error))
    headers = {k: v for k, v in answer.headers.items() if k not in OURS}
    told = [v for k, v in answer.headers.items() if k in OURS]
    return (*raised, answer.status_code, answer.body, headers), told


def same_but_for_the_header(router, lines) -> list[str]:
    """Compare the two; returns the header's values with the patch."""
    litellm_patch.deactivate()
    cool(router, COOLED)
    stock = outcome(router)
    litellm_patch.activate()
    try:
        cool(router, COOLED)
        first = patched = outcome(router)
        for _ in range(5):
            patched = outcome(router)
    finally:
        litellm_patch.deactivate()
    assert without_list(first[0]) == without_list(patched[0]) == without_list(stock[0])
    assert all(value.isascii() and value.isdigit() for value in patched[-1])
    assert_quiet(lines, most=len(set(lines)))
    return patched[-1]


def without_list(seen):
    """The body names the cooling deployments, in an order of its own."""
    *others, body, headers = seen
    return *others, body.partition(b"cooldown_list")[0], headers


def modules_with(name: str) -> list:
    return [
        module
        for key, module in sorted(sys.modules.items())
        if key.startswith("litellm_patch.") and ".lab" not in key and name in vars(module)
    ]


def test_unbroken_it_tells_the_time_left(stock, router, lines):
    assert same_but_for_the_header(router, lines)


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("clock", ["time", "monotonic"])
def test_a_broken_clock_changes_nothing_else(stock, router, lines, clock, given, monkeypatch):
    both = {"time": time.time, "monotonic": time.monotonic, clock: giving(given)}
    for module in modules_with("time"):
        monkeypatch.setattr(module, "time", types.SimpleNamespace(sleep=time.sleep, **both))
    same_but_for_the_header(router, lines)


@pytest.mark.skipif(has_rust_router(), reason="its cooldowns are in no cache")
@pytest.mark.parametrize("given", VALUES)
@pytest.mark.parametrize("part", ["record", "timestamp", "cooldown_time", "ttl"])
def test_whatever_the_cache_holds_changes_nothing_else(stock, router, part, given):
    """LiteLLM itself may fail at it; then it fails in the same way."""
    memory = cooldown_cache._memory(router.cooldown_cache)
    key, value = cooldown_cache._key("a"), GIVEN[given]

    def attempt():
        cool(router, COOLED)
        if part == "record":
            memory.cache_dict[key] = value
        elif part == "ttl":
            memory.ttl_dict[key] = value
        else:
            memory.cache_dict[key] = {**memory.cache_dict[key], part: value}
        try:
            return outcome(router)
        except Exception as error:
            return (type(error), str(error)), []

    try:
        without = attempt()
        litellm_patch.activate()
        with_patch = attempt()
    finally:
        litellm_patch.deactivate()
        memory.cache_dict.clear()
        memory.ttl_dict.clear()
    if len(without[0]) == 5:
        assert without_list(with_patch[0]) == without_list(without[0])
        assert all(value.isdigit() for value in with_patch[1])
    else:
        assert with_patch == without


@pytest.mark.parametrize("given", GIVEN)
def test_a_shared_redis_may_answer_what_it_likes(given):
    client = types.SimpleNamespace(pttl=giving(given), evalsha=giving(given))
    redis = types.SimpleNamespace(redis_client=client, check_and_fix_namespace=lambda key: key)
    waiting = Waiting(time.monotonic() + 5, 10.0, 60.0, KnownRate())
    seconds = SharedExpiries().seconds(redis, "key", 1.0)
    place = SharedQueues().place(redis, "queue", waiting)
    assert all(told is None or isinstance(told, float) for told in (seconds, place))
