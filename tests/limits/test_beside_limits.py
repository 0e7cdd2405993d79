"""If one deployment is at its limit and another is cooling, the first that can serve decides."""

from __future__ import annotations

import json
import time
from typing import Callable

import pytest
from conftest import LAUNCH
from running import told

from litellm_patch.tools.lab.client import Response, chat
from litellm_patch.tools.lab.proxy import Proxy, config, group, running_proxy
from litellm_patch.tools.lab.stand_in import Refuse, running_stand_in

COOLDOWN = 12
"""Seconds; shorter than what is left of the minute when the test begins."""


def until(proxy: Proxy, is_wanted: Callable[[Response], bool]) -> Response:
    for _ in range(20):
        answer = chat(proxy, "m")
        if is_wanted(answer):
            return answer
    raise AssertionError(f"not after 20 requests: {answer.status} {answer.body[:300]!r}")


@pytest.mark.needs_patch(native=True)
def test_a_cooling_deployment_returns_before_a_limited_one(side):
    router = {"cooldown_time": COOLDOWN, "routing_strategy": "usage-based-routing-v2"}
    with running_stand_in() as stand_in:
        models = [
            *group("m", stand_in.url, ["limited"], rpm=1),
            *group("m", stand_in.url, ["cooling"], rpm=1000),
        ]
        with running_proxy(config(models, router_settings=router), launch=LAUNCH[side]) as proxy:
            if time.time() % 60 > 30:  # the minute must outlast the cooldown
                time.sleep(60 - time.time() % 60)
            stand_in.refusals["cooling"] = Refuse()
            until(proxy, lambda answer: answer.status == 200)  # the limited one, once
            answer = until(proxy, is_limit)
            assert told(answer, COOLDOWN)
            stand_in.refusals.clear()
            time.sleep(int(answer.retry_after))
            assert chat(proxy, "m").status == 200


def is_limit(answer: Response) -> bool:
    """Whether LiteLLM refused by the limit; then nobody was asked."""
    if answer.status != 429:
        return False
    message = str(json.loads(answer.body)["error"]["message"])
    return "No deployments available" in message or "over defined rpm" in message
