"""Real OpenAI SDK clients, with the SDK's defaults, that play a scenario against a variant."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from contextvars import ContextVar

import httpx
import openai
from runs import Call, Outcome
from scenarios import Recovery, Scenario
from variants import COOLED, SERVED, Running

from litellm_patch.tools.lab.client import chat
from litellm_patch.tools.lab.cooling import DidNotCool, cool_down
from litellm_patch.tools.lab.proxy import MASTER_KEY, Proxy
from litellm_patch.tools.lab.stand_in import Refuse

ASK = [{"role": "user", "content": "one word"}]
GIVE_UP = 200.0  # seconds; far above any wait that is told here

_current: ContextVar[tuple[Call, float]] = ContextVar("call")


async def play(running: Running, scenario: Scenario, seed: int, delay: float) -> Outcome:
    """Play `scenario`; returns when the last client is served or has given up.

    Args:
        delay: seconds before it begins, so that the bursts of several variants do not meet.
    """
    await asyncio.sleep(delay)
    stand_in = running.stand_ins[scenario.name]
    outcome = Outcome()
    async with httpx_client(running.proxies, seed) as http:
        client = _client(running.proxies[0], http, running.variant.client)
        began = time.monotonic()
        if isinstance(scenario, Recovery):
            began = await asyncio.to_thread(_cool, running, scenario)
            outcome.ready_at = scenario.cooldown
        arrivals = list(scenario.arrivals(random.Random(seed)))
        outcome.calls = list(
            await asyncio.gather(*(_call(client, scenario.name, began, at) for at in arrivals))
        )
    outcome.provider_refusals = sum(seen.status != 200 for seen in stand_in.seen)
    return outcome


async def warm_up_sdk(running: Running) -> None:
    """The SDK, too, builds a good part of itself in its first call, and would hold up the rest."""
    async with httpx_client(running.proxies) as http:
        await _call(_client(running.proxies[0], http), SERVED, time.monotonic(), 0)


async def own_delay(ended: asyncio.Event) -> float:
    """The longest that the clients of this process were held up by each other, in seconds."""
    worst = 0.0
    while not ended.is_set():
        before = time.monotonic()
        await asyncio.sleep(0.05)
        worst = max(worst, time.monotonic() - before - 0.05)
    return worst


def warm_up(running: Running) -> None:
    """Serve and refuse once: a proxy imports a good part of itself when it first does either."""
    running.stand_ins[COOLED].refusals["*"] = Refuse()
    for proxy in running.proxies:
        for _ in range(10):
            chat(proxy, SERVED)
        cool_down(proxy, COOLED)


class Balancer(httpx.AsyncHTTPTransport):
    """Sends each request to a proxy by chance, as a load balancer may."""

    def __init__(self, proxies: Sequence[Proxy], seed: int) -> None:
        super().__init__(limits=httpx.Limits(max_connections=1000))
        self._ports = [httpx.URL(proxy.url).port for proxy in proxies]
        self._random = random.Random(seed)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(port=self._random.choice(self._ports))
        return await super().handle_async_request(request)


def httpx_client(proxies: Sequence[Proxy], seed: int = 0) -> httpx.AsyncClient:
    """The connection pool of all clients of a run; notes each answer in the call it belongs to."""

    async def answered(response: httpx.Response) -> None:
        call, began = _current.get()
        sent = time.monotonic() - began - response_seconds(response)
        call.requests.append((sent, response.status_code))

    async def sending(request: httpx.Request) -> None:
        request.extensions["sent_at"] = time.monotonic()

    def response_seconds(response: httpx.Response) -> float:
        return time.monotonic() - float(response.request.extensions["sent_at"])

    return httpx.AsyncClient(
        event_hooks={"request": [sending], "response": [answered]},
        transport=Balancer(proxies, seed),
        timeout=60,
        trust_env=False,
    )


def _client(proxy: Proxy, http: httpx.AsyncClient, named: str | None = None) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        base_url=f"{proxy.url}/v1",
        api_key=MASTER_KEY,
        http_client=http,
        default_headers={"User-Agent": named} if named else None,
    )


async def _call(client: openai.AsyncOpenAI, model: str, began: float, at: float) -> Call:
    await asyncio.sleep(max(0.0, began + at - time.monotonic()))
    call = Call(at)
    _current.set((call, began))
    try:
        await asyncio.wait_for(client.chat.completions.create(model=model, messages=ASK), GIVE_UP)
    except (openai.APIError, asyncio.TimeoutError):
        return call
    call.served_at = time.monotonic() - began
    return call


def _cool(running: Running, scenario: Recovery) -> float:
    """Cool the scenario's group down; returns the `time.monotonic()` at which that began.

    Only the first proxy sees the failure; others learn of it from Redis, if they do.
    """
    stand_in = running.stand_ins[scenario.name]
    stand_in.seen.clear()
    stand_in.refusals["*"] = Refuse()
    for attempt in range(3):
        try:
            cool_down(running.proxies[0], scenario.name)
            break
        except DidNotCool:  # a busy proxy is behind with its failure callbacks
            if attempt == 2:
                raise
            time.sleep(1)
    stand_in.refusals.clear()
    return min(seen.at for seen in stand_in.seen)
