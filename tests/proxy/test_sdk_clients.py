"""The real SDKs, with their default two retries, in front of a cooling group."""

from __future__ import annotations

import asyncio
import math
import time

import anthropic
import httpx
import openai
import pytest
from conftest import COOLDOWN

from litellm_patch.lab.cooling import cool_down
from litellm_patch.lab.proxy import MASTER_KEY

ASK = [{"role": "user", "content": "one word"}]


@pytest.fixture
def cooled(proxy, refusing, stand_in):
    """Cool a group down and let its provider recover; returns when the cooldown began."""

    def cool(group: str) -> float:
        refusing(group)
        cool_down(proxy, group)
        for deployment in ("a", "b"):
            del stand_in.refusals[f"{group}-{deployment}"]
        return min(seen.at for seen in stand_in.calls(f"{group}-a"))

    return cool


@pytest.mark.needs_patch
def test_openai_is_served_with_two_requests(proxy, cooled):
    cooled("sdk-sync")
    sent: list[httpx.Request] = []
    http = httpx.Client(event_hooks={"request": [sent.append]}, trust_env=False)
    client = openai.OpenAI(base_url=f"{proxy.url}/v1", api_key=MASTER_KEY, http_client=http)
    answer = client.chat.completions.create(model="sdk-sync", messages=ASK)
    assert answer.choices[0].message.content == "served"
    assert len(sent) == 2


@pytest.mark.needs_patch
def test_async_openai_is_served_with_two_requests(proxy, cooled):
    cooled("sdk-async")
    times: list[float] = []

    async def sending(request: httpx.Request) -> None:
        times.append(time.monotonic())

    async def main() -> str:
        http = httpx.AsyncClient(event_hooks={"request": [sending]}, trust_env=False)
        async with openai.AsyncOpenAI(
            base_url=f"{proxy.url}/v1", api_key=MASTER_KEY, http_client=http
        ) as client:
            answer = await client.embeddings.create(model="sdk-async", input="x")
            return answer.model

    assert asyncio.run(main())
    assert len(times) == 2


@pytest.mark.needs_patch
def test_anthropic_reads_the_wait(proxy, cooled):
    cooled("sdk-anthropic")
    client = anthropic.Anthropic(base_url=proxy.url, api_key=MASTER_KEY, max_retries=0)
    with pytest.raises(anthropic.RateLimitError) as caught:
        client.messages.create(model="sdk-anthropic", max_tokens=5, messages=ASK)
    told = caught.value.response.headers.get("retry-after")
    assert told is not None
    assert 1 <= int(told) <= math.ceil(COOLDOWN)
