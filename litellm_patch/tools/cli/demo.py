"""``litellm-patch demo``: the same request to a real proxy, without and with the patch."""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib import metadata

from ...bootstrap import LAUNCH_WITH_PATCH
from ..lab.client import Response, chat
from ..lab.cooling import DidNotCool, cool_down
from ..lab.proxy import (
    MASTER_KEY,
    Proxy,
    ProxyDidNotStart,
    config,
    group,
    running_proxy,
)
from ..lab.stand_in import Refuse, StandIn, running_stand_in
from .exit_status import BAD, GOOD, NothingProven
from .progress import Progress

MODEL = "demo-model"
TITLES = ("without litellm_patch", "with litellm_patch")
DEFAULT_COOLDOWN = 6.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cooldown",
        type=_positive,
        default=DEFAULT_COOLDOWN,
        metavar="SECONDS",
        help=f"cooldown_time of the proxies (default {DEFAULT_COOLDOWN:g})",
    )


def run(options: argparse.Namespace) -> int:
    """Print the comparison. GOOD if only the patched proxy sent the header."""
    missing = [name for name in ("litellm", "openai") if _release(name) is None]
    if missing:
        needed = " and ".join(missing)
        raise NothingProven(f"demo needs {needed}: pip install 'litellm_patch[demo]'")
    print(
        f"LiteLLM {_release('litellm')}, a stand-in provider on loopback, no API key.", flush=True
    )
    try:
        return _compare(options.cooldown)
    except (ProxyDidNotStart, DidNotCool) as error:
        raise NothingProven(f"demo: the proxy did not do its part: {error}") from error


def _compare(cooldown: float) -> int:
    with ExitStack() as stack:
        stand_in = stack.enter_context(running_stand_in())
        proxies = _start_both(stack, stand_in, cooldown)

        stand_in.refusals["*"] = Refuse()
        with ThreadPoolExecutor(2) as pool:  # at once, so that both have as much time left
            list(pool.map(lambda proxy: cool_down(proxy, MODEL), proxies))
        plain, patched = (chat(proxy, MODEL) for proxy in proxies)
        print(
            "\n1. The provider failed, every deployment is cooling down. The next request gets:\n"
        )
        _print_side_by_side(plain, patched)

        stand_in.refusals.clear()
        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(_call_with_sdk, proxies))
        print(
            f"\n2. The provider is well again. One call with the OpenAI SDK {_release('openai')}:\n"
        )
        for title, outcome in zip(TITLES, outcomes):
            print(f"   {title:24}{outcome}")
    return GOOD if plain.retry_after is None and patched.retry_after is not None else BAD


def _start_both(stack: ExitStack, stand_in: StandIn, cooldown: float) -> tuple[Proxy, Proxy]:
    configuration = config(
        group(MODEL, stand_in.url, ["demo-a", "demo-b"]),
        router_settings={"cooldown_time": cooldown},
    )
    progress = stack.enter_context(Progress("starting two real proxies"))
    with ThreadPoolExecutor(2) as pool:
        starts = [
            pool.submit(
                stack.enter_context,
                running_proxy(configuration, launch=launch, waiting=progress.tick),
            )
            for launch in ([], LAUNCH_WITH_PATCH)
        ]
        plain, patched = (start.result() for start in starts)
    progress.done()
    return plain, patched


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
    requests = f"{len(sent)} request{'s' if len(sent) != 1 else ''}"
    return f"{result} after {seconds:.1f} s, {requests}"


def _print_side_by_side(*answers: Response) -> None:
    columns = [_lines(answer) for answer in answers]
    width = max(len(line) for column in columns for line in column) + 2
    heights = max(len(column) for column in columns)
    for column in columns:
        column.extend([""] * (heights - len(column)))
    print("   " + "".join(f"{title:{width}}" for title in TITLES).rstrip())
    print("   " + "".join(f"{'-' * len(title):{width}}" for title in TITLES).rstrip())
    for row in zip(*columns):
        print("   " + "".join(f"{cell:{width}}" for cell in row).rstrip())
    same = len({answer.body for answer in answers}) == 1
    print(f"\n   body: {'the same' if same else 'DIFFERENT'}, {len(answers[0].body)} bytes")


def _lines(answer: Response) -> list[str]:
    shown = [f"HTTP/1.1 {answer.status} {answer.reason}"]
    shown += [f"{name}: {value}" for name, value in sorted(answer.headers)]
    return [line if len(line) <= 60 else line[:57] + "..." for line in shown]


def _release(distribution: str) -> object:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _positive(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 600:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 600 seconds")
    return seconds
