"""Play one Python client: read jobs from standard input, write what became of each.

    python player.py KIND

Runs in the environment of the client, of which it needs nothing but the client. A job is a line
of JSON with `cell`, `url` and `model`; all jobs run at the same time.
"""

from __future__ import annotations

import asyncio
import json
import sys

KEY = "sk-litellm-patch-lab-5e0c1f"
ASK = [{"role": "user", "content": "one word"}]


def request(job):
    """What an HTTP library sends."""
    return {
        "url": f"{job['url']}/v1/chat/completions",
        "json": {"model": job["model"], "messages": ASK},
        "headers": {"authorization": f"Bearer {KEY}"},
    }


def openai_python():
    import openai

    async def call(job):
        client = openai.AsyncOpenAI(base_url=f"{job['url']}/v1", api_key=KEY)
        await client.chat.completions.create(model=job["model"], messages=ASK)

    return call


def anthropic_python():
    import anthropic

    async def call(job):
        client = anthropic.AsyncAnthropic(base_url=job["url"], api_key=KEY)
        await client.messages.create(model=job["model"], max_tokens=5, messages=ASK)

    return call


def langchain():
    from langchain_openai import ChatOpenAI

    async def call(job):
        llm = ChatOpenAI(model=job["model"], base_url=f"{job['url']}/v1", api_key=KEY)
        await llm.ainvoke("one word")

    return call


def urllib3_retry():
    import urllib3

    def ask(job):
        retry = urllib3.Retry(
            total=3, backoff_factor=1, status_forcelist=[429, 503], allowed_methods=None
        )
        answer = urllib3.PoolManager(retries=retry).request("POST", **request(job))
        assert answer.status == 200, answer.status

    async def call(job):
        await asyncio.to_thread(ask, job)

    return call


def httpx_retries():
    import httpx
    from httpx_retries import Retry, RetryTransport

    async def call(job):
        retry = Retry(total=3, backoff_factor=1, allowed_methods=["POST"])
        async with httpx.AsyncClient(transport=RetryTransport(retry=retry), timeout=60) as client:
            answer = await client.post(**request(job))
        answer.raise_for_status()

    return call


def litellm_router():
    import litellm

    async def call(job):
        deployment = {
            "model": f"openai/{job['model']}",
            "api_base": f"{job['url']}/v1",
            "api_key": KEY,
        }
        entries = [{"model_name": "m", "litellm_params": dict(deployment)} for _ in range(2)]
        router = litellm.Router(model_list=entries)
        try:
            await router.acompletion(model="m", messages=ASK)
        except Exception as error:
            # What comes after the failed call is what matters: how long nobody is served.
            cooling = router.cooldown_cache.get_active_cooldowns(router.get_model_ids(), None)
            longest = max((entry["cooldown_time"] for _, entry in cooling), default=0)
            raise Failed(type(error).__name__, longest) from error

    return call


class Failed(Exception):
    """A failed call, and for how many seconds the client will not try again by itself."""


KINDS = {
    "openai": openai_python,
    "anthropic": anthropic_python,
    "langchain": langchain,
    "urllib3": urllib3_retry,
    "httpx-retries": httpx_retries,
    "router": litellm_router,
}


def tell(**what):
    print(json.dumps(what), flush=True)


async def play(call, job):
    try:
        await call(job)
        tell(cell=job["cell"], served=True, note="")
    except Failed as error:
        tell(cell=job["cell"], served=False, note=error.args[0], closed=error.args[1])
    except Exception as error:
        tell(cell=job["cell"], served=False, note=type(error).__name__)


async def main():
    call = KINDS[sys.argv[1]]()
    tell(ready=True)
    tasks = []
    while line := await asyncio.to_thread(sys.stdin.readline):
        tasks.append(asyncio.create_task(play(call, json.loads(line))))
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
