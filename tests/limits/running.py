"""Proxies of a test module, each started when it is first asked for, and then shared."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Callable

from litellm_patch.tools.lab.client import Response
from litellm_patch.tools.lab.cooling import ask
from litellm_patch.tools.lab.endpoints import ENDPOINTS, Endpoint
from litellm_patch.tools.lab.proxy import Proxy

KIND = {endpoint.name: endpoint for endpoint in ENDPOINTS}


@contextmanager
def shared(start: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Give what `start` makes of some arguments, and end it with the module.

    Args:
        start: takes an `ExitStack` for what it has to end, and the arguments.
    """
    running: dict[tuple[object, ...], Any] = {}
    with ExitStack() as stack:

        def get(*which: object) -> Any:
            if which not in running:
                running[which] = start(stack, *which)
            return running[which]

        yield get


def use_up(proxy: Proxy, model: str, kind: Endpoint = KIND["chat"]) -> Response:
    """Ask until a limit or a budget is used up; the answer to a request of `kind` that refuses."""
    for _ in range(20):  # LiteLLM books what was used behind the answer
        answer = ask(proxy, KIND["chat"], model)
        if answer.status == 429:
            answer = answer if kind is KIND["chat"] else ask(proxy, kind, model)
            if answer.status != 200:
                return answer
        # The request was served: the first of its minute, which may end between any two.
        time.sleep(0.3)
    raise AssertionError(f"{model} still serves: {answer.status} {answer.body[:200]!r}")


def told(answer: Response, most: float = 60) -> bool:
    """Whether a 429 tells a wait in whole seconds, of `most` seconds at most."""
    wait = answer.retry_after or ""
    return answer.status == 429 and wait.isdigit() and 1 <= int(wait) <= most


def tells_end_of_minute(answer: Response) -> bool:
    """Whether a 429 tells, give or take a few seconds, what is left of the minute of the clock."""
    if not told(answer):
        return False
    off = abs(int(answer.retry_after or 0) - (60 - time.time() % 60))
    return min(off, 60 - off) < 5
