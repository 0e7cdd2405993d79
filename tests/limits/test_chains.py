"""What a client is told when a group and its fallback both refuse, for different reasons."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from importlib.util import find_spec

import pytest
from app_routes import serves
from conftest import LAUNCH, WITH, litellm_has, messages_hide_what_a_provider_said
from running import KIND, shared, told, use_up

from litellm_patch.tools.lab.client import Response, call
from litellm_patch.tools.lab.cooling import ask, cool_down
from litellm_patch.tools.lab.proxy import Proxy, config, group, running_proxy
from litellm_patch.tools.lab.stand_in import Refuse, StandIn, running_stand_in

RAG = "/v1/rag/query"
COOLDOWN = 200
APART = 1000
"""Milliseconds by which paced clients of a cooldown are told apart, at most."""
MOST = COOLDOWN + APART / 1000
"""Seconds. A place may be behind the end of the cooldown."""
PERIOD = 60
"""Seconds of the fallback's budget."""

FALLBACKS = {
    "own-400": "cooling",
    "own-500": "cooling",
    "own-gemini": "cooling",
    "cooling-too": "cooling",
    "before-limited": "limited",
    "before-costly": "costly",
}
HAS_BUDGETS = find_spec("litellm.router_strategy.budget_limiter") is not None


@shared
def chain(stack: ExitStack, side: str) -> Proxy:
    """Give the proxy of a side with `FALLBACKS`, of which ``cooling`` is in its cooldown."""
    stand_in = stack.enter_context(running_stand_in())
    # No wait is told in steps, so that it does not end while the tests run.
    environment = {**provider_of_documents(stand_in), "LITELLM_PATCH_MAX_WAIT": "none"}
    proxy = stack.enter_context(
        running_proxy(configuration(stand_in), launch=LAUNCH[side], environment=environment)
    )
    refuse(stand_in, "cooling")
    cool_down(proxy, "cooling")
    for name in FALLBACKS:
        own = {"own-400": 400, "own-500": 500, "own-gemini": 500}
        refuse(stand_in, name, own.get(name, 429))
    return proxy


def configuration(stand_in: StandIn) -> dict:
    models = [
        entry
        for name in (*FALLBACKS, "cooling")
        for entry in group(name, stand_in.url, deployments(name), **at_gemini(name))
    ]
    costs = {"input_cost_per_token": 1, "output_cost_per_token": 1}
    budget = {"max_budget": 0.000001, "budget_duration": f"{PERIOD}s"}
    models += group("limited", stand_in.url, ["limited"], rpm=1)
    models += group("costly", stand_in.url, ["costly"], **costs, **budget)
    router = {
        "cooldown_time": COOLDOWN,
        "fallbacks": [{name: [fallback]} for name, fallback in FALLBACKS.items()],
        "routing_strategy": "usage-based-routing-v2",
    }
    return config(models, router_settings=router)


def provider_of_documents(stand_in: StandIn) -> dict[str, str]:
    return {"OPENAI_API_KEY": "not-a-key", "OPENAI_BASE_URL": f"{stand_in.url}/v1"}


def at_gemini(name: str) -> dict[str, str]:
    return {"provider": "gemini", "path": ""} if "gemini" in name else {}


def deployments(name: str) -> list[str]:
    return [f"{name}-a", f"{name}-b"]


def refuse(stand_in: StandIn, name: str, status: int = 429) -> None:
    stand_in.refusals.update(dict.fromkeys(deployments(name), Refuse(status=status)))


@pytest.mark.needs_patch(native=True)
@pytest.mark.parametrize("name", ["own-400", "own-500"])
def test_an_own_failure_with_a_cooling_fallback_tells_the_fallbacks_wait(chain, side, name):
    kinds = ["chat"] if messages_hide_what_a_provider_said() else ["chat", "messages-openai"]
    for kind in kinds:
        answer = ask(chain(side), KIND[kind], name)
        assert kind != "chat" or b"the stand-in provider refuses" in answer.body
        assert told(answer, MOST)


@pytest.mark.needs_patch(native=True)
@pytest.mark.skipif(
    not litellm_has("return JSONResponse(", "proxy/common_request_processing.py"),
    reason="this release answers with the stream, whose headers are made before it is read",
)
def test_a_stream_that_fails_before_it_begins_tells_the_fallbacks_wait(chain, side):
    # Gemini's is read for the first time when LiteLLM has all but answered.
    answer = ask(chain(side), KIND["chat-stream"], "own-gemini")
    assert answer.all("content-type") == ["application/json"]
    assert b"the stand-in provider refuses" in answer.body
    assert told(answer, MOST)


def test_the_first_of_two_cooling_groups_to_return_is_told(chain):
    proxy = chain(WITH)
    time.sleep(3)  # so that the second returns later
    cool_down(proxy, "cooling-too")
    asked = time.monotonic()
    fallback, both = (ask(proxy, KIND["chat"], name) for name in ("cooling", "cooling-too"))
    passed = (time.monotonic() - asked) * 1000  # milliseconds
    assert (fallback.status, both.status) == (429, 429)
    of_fallback, of_both = (int(answer.all("retry-after-ms")[0]) for answer in (fallback, both))
    assert of_fallback - passed - APART < of_both < of_fallback + APART


def refusal_of_both(proxy: Proxy, name: str) -> Response:
    """The answer of a cooling group while its fallback has nothing left."""
    for _ in range(3):  # the fallback's minute may end meanwhile
        use_up(proxy, FALLBACKS[name])
        answer = cool_down(proxy, name)
        if answer.status == 429:
            return answer
    raise AssertionError(f"the fallback of {name} still serves")


@pytest.mark.needs_patch(native=True)
@pytest.mark.parametrize(
    "name, within",
    [
        ("before-limited", 60),
        pytest.param(
            "before-costly",
            PERIOD,
            marks=pytest.mark.skipif(not HAS_BUDGETS, reason="this release has no such budget"),
        ),
    ],
)
def test_a_cooling_group_tells_the_wait_of_a_fallback_that_can_serve_sooner(
    chain, side, name, within
):
    assert told(refusal_of_both(chain(side), name), within)


@pytest.mark.needs_patch(native=True)
def test_a_query_of_documents_says_429_when_its_group_is_cooling(chain, side):
    if not serves(RAG):
        pytest.skip(f"this release has no POST {RAG}")
    body = {
        "model": "cooling",
        "messages": [{"role": "user", "content": "one word"}],
        "retrieval_config": {"vector_store_id": "vs_1", "custom_llm_provider": "openai"},
    }
    proxy = chain(side)
    answer = call(proxy.url, RAG, json.dumps(body).encode(), proxy.headers)
    assert b"No deployments available" in answer.body
    assert told(answer, MOST)
