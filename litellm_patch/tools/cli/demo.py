"""``litellm-patch demo``: the same request to a real proxy, without and with the patch."""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib.metadata import version
from importlib.util import find_spec
from itertools import zip_longest

from ...bootstrap import LAUNCH_WITH_PATCH
from ..lab.client import Response, chat
from ..lab.cooling import DidNotCool, cool_down
from ..lab.proxy import MASTER_KEY, Proxy, ProxyDidNotStart, config, group, running_proxy
from ..lab.stand_in import Refuse, running_stand_in
from .exit_status import BAD, GOOD, NothingProven

MODEL = "demo-model"
TITLES = ("without litellm_patch", "with litellm_patch")
COOLDOWN = 6.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`demo` has no arguments."""


def run(options: argparse.Namespace) -> int:
    """Print the comparison. GOOD if only the patched proxy sent the header."""
    missing = [name for name in ("litellm", "openai") if find_spec(name) is None]
    if missing:
        needed = " and ".join(missing)
        raise NothingProven(f"demo needs {needed}: pip install 'litellm_patch[demo]'")
    print(f"LiteLLM {version('litellm')}, a stand-in provider on loopback, no API key.", flush=True)
    try:
        return _compare()
    except (ProxyDidNotStart, DidNotCool) as error:
        raise NothingProven(f"demo: the proxy did not do its part: {error}") from error


def _compare() -> int:
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(2))  # both proxies act at the same time
        stand_in = stack.enter_context(running_stand_in())
        configuration = config(
            group(MODEL, stand_in.url, ["demo-a", "demo-b"]),
            router_settings={"cooldown_time": COOLDOWN},
        )

        def start(launch: list[str]) -> Proxy:
            return stack.enter_context(running_proxy(configuration, launch=launch))

        print("starting two real proxies ...", file=sys.stderr, flush=True)
        proxies = list(pool.map(start, ([], LAUNCH_WITH_PATCH)))

        stand_in.refusals["*"] = Refuse()
        list(pool.map(lambda proxy: cool_down(proxy, MODEL), proxies))
        plain, patched = (chat(proxy, MODEL) for proxy in proxies)
        print(
            "\n1. The provider failed, every deployment is cooling down. The next request gets:\n"
        )
        _print_side_by_side(plain, patched)

        stand_in.refusals.clear()
        outcomes = list(pool.map(_call_with_sdk, proxies))
        print(
            f"\n2. The provider is well again. One call with the OpenAI SDK {version('openai')}:\n"
        )
        for title, outcome in zip(TITLES, outcomes):
            print(f"   {title:24}{outcome}")
    return GOOD if plain.retry_after is None and patched.retry_after is not None else BAD


def _call_with_sdk(proxy: Proxy) -> str:
    """One call with the SDK's defaults (two retries), counting the requests that it sends."""
    import httpx
    import openai

    sent: list[httpx.Request] = []
    client = openai.OpenAI(
        base_url=f"{proxy.url}/v1",
        api_key=MASTER_KEY,
        http_client=httpx.Client(event_hooks={"request": [sent.append]}, trust_env=False),
    )
    started = time.monotonic()
    try:
        client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "hello"}])
        result = "served"
    except openai.APIError as error:
        result = f"failed ({type(error).__name__})"
    seconds = time.monotonic() - started
    requests = "request" if len(sent) == 1 else "requests"
    return f"{result} after {seconds:.1f} s, {len(sent)} {requests}"


def _print_side_by_side(*answers: Response) -> None:
    columns = [[title, "-" * len(title), *_lines(answer)] for title, answer in zip(TITLES, answers)]
    width = max(len(line) for column in columns for line in column) + 2
    for row in zip_longest(*columns, fillvalue=""):
        print("   " + "".join(f"{cell:{width}}" for cell in row).rstrip())
    same = len({answer.body for answer in answers}) == 1
    print(f"\n   body: {'the same' if same else 'DIFFERENT'}, {len(answers[0].body)} bytes")


def _lines(answer: Response) -> list[str]:
    shown = [f"HTTP/1.1 {answer.status} {answer.reason}"]
    shown += [f"{name}: {value}" for name, value in sorted(answer.headers)]
    return [line if len(line) <= 60 else line[:57] + "..." for line in shown]
