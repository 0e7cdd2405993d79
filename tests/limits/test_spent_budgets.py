"""What a client is told when a budget of the router's is spent."""

from __future__ import annotations

import time
from contextlib import ExitStack
from importlib.util import find_spec
from typing import Callable

import pytest
from conftest import LAUNCH, WITH
from running import KIND, shared, told, use_up

from litellm_patch.tools.lab.cooling import ask
from litellm_patch.tools.lab.proxy import Proxy, config, group, running_proxy
from litellm_patch.tools.lab.stand_in import running_stand_in

if find_spec("litellm.router_strategy.budget_limiter") is None:
    pytest.skip(
        "this release keeps its budgets elsewhere: no header, as the README says",
        allow_module_level=True,
    )

PERIOD = 25
"""Seconds of each budget: it must not be over before a busy machine has asked all that it asks."""

BUDGETS = {
    # Model group to its kind of Anthropic messages: what the provider of the first may cost, and
    # what the deployment of the second.
    "of-provider": "messages-openai",
    "of-deployment": "messages",
}


@shared
def running(stack: ExitStack, side: str) -> Proxy:
    url = stack.enter_context(running_stand_in()).url
    costs = {"input_cost_per_token": 1, "output_cost_per_token": 1}
    own = {"max_budget": 0.000001, "budget_duration": f"{PERIOD}s", "path": ""}
    models = [
        *group("of-provider", url, ["costly"], **costs),
        *group("of-deployment", url, ["costly"], provider="anthropic", **costs, **own),
    ]
    of_provider = {"openai": {"budget_limit": 0.000001, "time_period": f"{PERIOD}s"}}
    configuration = config(models, router_settings={"provider_budget_config": of_provider})
    return stack.enter_context(running_proxy(configuration, launch=LAUNCH[side]))


@pytest.fixture
def spent(running: Callable[[str], Proxy]) -> Callable[[str], Proxy]:
    """Give the proxy of a side, in which the budget of each group has just been spent."""

    def get(side: str) -> Proxy:
        for name in BUDGETS:
            use_up(running(side), name)
        return running(side)

    return get


@pytest.mark.needs_patch(native=True)
@pytest.mark.parametrize("name", BUDGETS)
def test_a_spent_budget_tells_the_end_of_its_window(spent, side, name):
    proxy = spent(side)
    answers = [ask(proxy, KIND[kind], name) for kind in ("chat", BUDGETS[name])]
    assert [told(answer, PERIOD) for answer in answers] == [True, True]


@pytest.mark.needs_patch(native=True)
def test_speech_answers_429_too(spent, side):
    answer = ask(spent(side), KIND["speech"], "of-provider")
    assert b"crossed budget" in answer.body
    assert told(answer, PERIOD)


def test_a_client_that_waits_as_told_is_served(spent):
    proxy = spent(WITH)
    waits = [int(ask(proxy, KIND["chat"], name).retry_after) for name in BUDGETS]
    time.sleep(max(waits))
    assert [ask(proxy, KIND["chat"], name).status for name in BUDGETS] == [200, 200]
