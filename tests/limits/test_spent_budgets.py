"""What a client is told when a budget of the router's is spent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from typing import Callable

import pytest
from conftest import LAUNCH, WITH
from running import KIND, shared, told, use_up, wait_as_told

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

BRIEF = 8
"""Seconds of the budgets whose end a client waits for."""

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
    at_anthropic = {"provider": "anthropic", "path": "", "max_budget": 0.000001, **costs}
    models = [
        *group("of-provider", url, ["costly"], **costs),
        *group("of-deployment", url, ["costly"], budget_duration=f"{PERIOD}s", **at_anthropic),
        *group("brief-of-provider", url, ["brief"], provider="mistral", **costs),
        *group("brief-of-deployment", url, ["brief"], budget_duration=f"{BRIEF}s", **at_anthropic),
    ]
    of_provider = {
        provider: {"budget_limit": 0.000001, "time_period": f"{seconds}s"}
        for provider, seconds in (("openai", PERIOD), ("mistral", BRIEF))
    }
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


def test_a_client_that_waits_as_told_is_served(running):
    with ThreadPoolExecutor() as pool:
        served = pool.map(
            partial(wait_as_told, running(WITH)), [f"brief-{name}" for name in BUDGETS]
        )
    assert list(served) == [200, 200]
