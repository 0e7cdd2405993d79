"""Proxies for a test module, each started on first use and then shared."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache, partial
from typing import Any, Callable

import pytest

from litellm_patch.tools.lab.client import Response
from litellm_patch.tools.lab.cooling import ask
from litellm_patch.tools.lab.endpoints import ENDPOINTS, Endpoint
from litellm_patch.tools.lab.proxy import Proxy

KIND = {endpoint.name: endpoint for endpoint in ENDPOINTS}


def shared(start: Callable[..., Any]) -> Any:
    """A fixture: a function that gives what `start` makes of some arguments, once for each.

    Args:
        start: takes an `ExitStack`, which ends with the module, and the arguments.
    """

    @pytest.fixture(scope="module")
    def running() -> Iterator[Callable[..., Any]]:
        with ExitStack() as stack:
            yield cache(partial(start, stack))

    return running


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


def wait_as_told(proxy: Proxy, model: str) -> int:
    """Use `model` up, wait as the refusal tells, and ask again; the status of the answer."""
    time.sleep(int(use_up(proxy, model).retry_after or 0))
    return ask(proxy, KIND["chat"], model).status


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
