"""The real SDKs, with their default two retries, wait as they are told and are then served."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Callable

import anthropic
import openai
import pytest
from app_routes import serves
from conftest import BRIEFLY, COOLDOWN

from litellm_patch.tools.lab.cooling import cool_down
from litellm_patch.tools.lab.proxy import MASTER_KEY, Proxy
from litellm_patch.tools.lab.stand_in import Refuse, Seen, StandIn

ASK = [{"role": "user", "content": "one word"}]
TIMER = 0.02
"""Seconds by which a sleep may end early."""


@dataclass
class Call:
    """What one call of an SDK did; all times are `time.monotonic()`.

    Attributes:
        sent: when each of its requests went out.
        answers: when each answer was there, and the answer.
        failed: the exception that the caller of the SDK got, if any.
    """

    sent: list[float] = field(default_factory=list)
    answers: list[tuple[float, Any]] = field(default_factory=list)
    failed: Exception | None = None

    def sending(self, request: object) -> None:
        self.sent.append(time.monotonic())

    def answered(self, response: object) -> None:
        self.answers.append((time.monotonic(), response))

    def hooks(self) -> dict[str, Any]:
        """Arguments for the HTTP clients of the SDKs."""
        hooks = {"request": [self.sending], "response": [self.answered]}
        return {"event_hooks": hooks, "trust_env": False}

    def async_hooks(self) -> dict[str, Any]:
        async def sending(request: object) -> None:
            self.sending(request)

        async def answered(response: object) -> None:
            self.answered(response)

        hooks = {"request": [sending], "response": [answered]}
        return {"event_hooks": hooks, "trust_env": False}


def chat(url: str, model: str, call: Call) -> None:
    http = openai.DefaultHttpxClient(**call.hooks())
    client = openai.OpenAI(base_url=f"{url}/v1", api_key=MASTER_KEY, http_client=http)
    client.chat.completions.create(model=model, messages=ASK)


def responses(url: str, model: str, call: Call) -> None:
    http = openai.DefaultHttpxClient(**call.hooks())
    client = openai.OpenAI(base_url=f"{url}/v1", api_key=MASTER_KEY, http_client=http)
    client.responses.create(model=model, input="x")


def embeddings(url: str, model: str, call: Call) -> None:
    async def main() -> None:
        http = openai.DefaultAsyncHttpxClient(**call.async_hooks())
        async with openai.AsyncOpenAI(
            base_url=f"{url}/v1", api_key=MASTER_KEY, http_client=http
        ) as client:
            await client.embeddings.create(model=model, input="x")

    asyncio.run(main())


def messages(url: str, model: str, call: Call) -> None:
    http = anthropic.DefaultHttpxClient(**call.hooks())
    client = anthropic.Anthropic(base_url=url, api_key=MASTER_KEY, http_client=http)
    client.messages.create(model=model, max_tokens=5, messages=ASK)


CLIENTS: dict[str, tuple[str, Callable[[str, str, Call], None]]] = {
    # Model group to the path that the client asks, and the client.
    "sdk-chat": ("/v1/chat/completions", chat),
    "sdk-responses": ("/v1/responses", responses),
    "sdk-embeddings": ("/v1/embeddings", embeddings),
    "sdk-messages": ("/v1/messages", messages),
}


def refuse_then_ask(proxy: Proxy, stand_in: StandIn, group: str) -> tuple[Call, list[Seen]]:
    """Cool a group down, let its provider recover, and call it; what the provider saw, too.

    A busy machine, whose proxy and SDK load half of themselves for it, may be too late with the
    first call: the cooldown is over by then.
    """
    for _ in range(3):
        call, provider = _refuse_then_ask(proxy, stand_in, group)
        if not call.answers or call.answers[0][1].status_code != 200:
            break
    return call, provider


def _refuse_then_ask(proxy: Proxy, stand_in: StandIn, group: str) -> tuple[Call, list[Seen]]:
    call, ask = Call(), CLIENTS[group][1]
    names = [f"{group}-a", f"{group}-b"]
    before = len(stand_in.seen)
    stand_in.refusals.update(dict.fromkeys(names, Refuse(headers=BRIEFLY)))
    cool_down(proxy, group)
    for name in names:
        del stand_in.refusals[name]
    try:
        ask(proxy.url, group, call)
    except (openai.APIError, anthropic.APIError) as error:
        call.failed = error
    return call, [seen for seen in stand_in.seen[before:] if seen.model in names]


@pytest.fixture(scope="module")
def calls(
    side: str, proxy_on: Callable[[str], Proxy], stand_in: StandIn
) -> Iterator[dict[str, tuple[Call, list[Seen]]]]:
    """The calls of all clients, made at the same time."""
    groups = [group for group, (path, _) in CLIENTS.items() if serves(path)]
    with ThreadPoolExecutor(len(groups)) as pool:
        done = pool.map(partial(refuse_then_ask, proxy_on(side), stand_in), groups)
        yield dict(zip(groups, done))


def assert_waited_and_was_served(calls: dict[str, Any], group: str) -> None:
    if group not in calls:
        pytest.skip(f"this release has no POST {CLIENTS[group][0]}")
    call, provider = calls[group]
    assert call.failed is None, "the SDK gave up"
    assert [answer.status_code for _, answer in call.answers] == [429, 200]
    refused_at, refusal = call.answers[0]
    told = float(refusal.headers["retry-after"])
    assert 1 <= told < COOLDOWN + 1
    exactly = float(refusal.headers.get("retry-after-ms", told * 1000)) / 1000
    assert told - 1 <= exactly <= told
    assert call.sent[1] - refused_at >= exactly - TIMER
    cooling = [seen.at for seen in provider if seen.status == 429]
    served = [seen.at for seen in provider if seen.status == 200]
    assert len(served) == 1
    assert len(provider) == len(cooling) + 1
    assert max(cooling) < refused_at
    assert served[0] >= min(cooling) + COOLDOWN, "the provider was asked during the cooldown"
    assert served[0] > call.sent[1]


@pytest.mark.needs_patch
@pytest.mark.parametrize("group", ["sdk-chat", "sdk-responses", "sdk-embeddings"])
def test_openai_waits_as_told_and_is_served_with_two_requests(calls, group):
    assert_waited_and_was_served(calls, group)


@pytest.mark.needs_patch(native=True)
def test_anthropic_waits_as_told_and_is_served_with_two_requests(calls):
    assert_waited_and_was_served(calls, "sdk-messages")
