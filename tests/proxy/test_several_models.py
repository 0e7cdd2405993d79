"""One request for several models, of which some are cooling (``model: "a,b"``).

The same proxies export Prometheus metrics, which show what refused clients were told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from typing import Callable

import pytest
from conftest import EXACT, LAUNCH, WITH, WITHOUT, litellm_has

from litellm_patch.tools.lab.client import call, chat
from litellm_patch.tools.lab.cooling import cool_down
from litellm_patch.tools.lab.proxy import Proxy, config, group, running_proxy
from litellm_patch.tools.lab.stand_in import Refuse, running_stand_in
from litellm_patch.wait.litellm_errors import NO_DEPLOYMENTS

SIDES = (WITHOUT, WITH)
REFUSED = b'{"error":{"message":"' + NO_DEPLOYMENTS.encode()
"""How the answer begins if the group itself is cooling, not only its fallback."""
COOLDOWN = 200
FALLBACKS = [{"own-failure": ["cooling"]}, {"costly": ["cooling"]}]
GROUPS = ("cooling", "cooling-too", "own-failure", "costly", "limited")
MINUTE = 60
HAS_PROMETHEUS = find_spec("prometheus_client") is not None


@pytest.fixture(scope="module")
def several() -> Iterator[Callable[[str], Proxy]]:
    """Give the proxy of a side; two groups are cooling, of two others the fallback is."""
    running = {}
    with ExitStack() as stack:
        stand_in = stack.enter_context(running_stand_in())
        # So that the attributes of LiteLLM's error are the same each time, one deployment.
        models = [
            {**entry, "model_info": {"id": f"id-{entry['litellm_params']['model']}"}}
            for name in GROUPS
            for entry in group(name, stand_in.url, deployments(name), **limit(name))
        ]
        router = {
            "cooldown_time": COOLDOWN,
            "fallbacks": FALLBACKS,
            "routing_strategy": "usage-based-routing-v2",
            # Up to 1.72 or so LiteLLM cools also the only deployment of a group.
            "allowed_fails_policy": {"BadRequestErrorAllowedFails": 1000},
        }
        exports = {"callbacks": ["prometheus"]} if HAS_PROMETHEUS else {}
        configuration = config(models, router_settings=router, litellm_settings=exports)

        def get(side: str) -> Proxy:
            if side not in running:
                stand_in.refusals.clear()
                started = running_proxy(configuration, launch=LAUNCH[side], environment=EXACT)
                running[side] = stack.enter_context(started)
                chat(running[side], "costly")
                for name in ("cooling", "cooling-too"):
                    stand_in.refusals.update(dict.fromkeys(deployments(name), Refuse()))
                    cool_down(running[side], name)
                stand_in.refusals["own-failure-a"] = Refuse(status=400)
            return running[side]

        yield get


def deployments(name: str) -> list[str]:
    return [f"{name}-a", f"{name}-b"] if "cooling" in name else [f"{name}-a"]


def limit(name: str) -> dict[str, object]:
    if name == "limited":
        return {"rpm": 1}
    if name != "costly":
        return {}
    costs = {"input_cost_per_token": 1, "output_cost_per_token": 1}
    return {**costs, "max_budget": 0.000001, "budget_duration": "1d"}


# When and how fast the provider answered, since when it cools, and what was spent by then.
VARIES = re.compile(
    rb'"date":"[^"]*"|["\']timestamp["\']: ?[0-9.]+|"_elapsed":[0-9.]+|\d+\.\d+ >= '
)


@pytest.mark.parametrize("models", ["cooling,cooling-too", "cooling,own-failure", "cooling,costly"])
def test_the_errors_in_a_body_of_status_200_have_the_same_attributes(several, models):
    stock, patched = (chat(several(side), models) for side in SIDES)
    assert stock.status == patched.status == 200
    assert b'"cooldown_time":200' in stock.body
    assert VARIES.sub(b"", patched.body) == VARIES.sub(b"", stock.body)


@pytest.mark.needs_patch(native=True)
@pytest.mark.parametrize("more", [{}, {"stream": True}])
def test_the_fastest_of_models_that_all_refuse_is_a_429_that_tells_the_wait(several, side, more):
    answer = chat(several(side), "cooling,cooling-too", fastest_response=True, **more)
    assert b"All tasks failed" in answer.body
    assert (answer.status, str(json.loads(answer.body)["error"]["code"])) == (429, "429")
    assert answer.retry_after is not None
    assert 1 <= int(answer.retry_after) <= COOLDOWN


@pytest.mark.needs_patch(native=True)
@pytest.mark.parametrize(
    "models, within", [("cooling,costly", COOLDOWN), ("cooling,limited", MINUTE)]
)
def test_the_fastest_of_models_that_refuse_for_different_reasons_tells_the_first(
    several, side, models, within
):
    if "costly" in models and not litellm_has("", "router_strategy/budget_limiter.py"):
        pytest.skip("this release has no budgets of deployments")
    for _ in range(6):  # the minute may end meanwhile
        answer = chat(several(side), models, fastest_response=True)
        if answer.status != 200:
            break
    assert b"All tasks failed" in answer.body
    assert answer.status == 429
    assert answer.retry_after is not None
    assert 1 <= int(answer.retry_after) <= within


def test_the_fastest_of_models_of_which_one_fails_by_itself_is_as_without_us(several):
    models = "cooling,own-failure"
    if chat(several(WITH), "own-failure").body.startswith(REFUSED):
        pytest.skip("this release cools the group because its fallback is cooling")
    stock, patched = (chat(several(side), models, fastest_response=True) for side in SIDES)
    assert (stock.status, stock.body) == (patched.status, patched.body)
    assert patched.status == 500
    assert patched.retry_after is None


@pytest.mark.needs_patch(native=True)
@pytest.mark.skipif(not HAS_PROMETHEUS, reason="there is no prometheus_client")
def test_refusals_are_counted_where_the_proxy_counts(several, side):
    before = counted(several(side))
    for _ in range(3):
        assert chat(several(side), "cooling").status == 429
    assert counted(several(side)) - before == 3


def counted(proxy: Proxy) -> int:
    answer = call(proxy.url, "/metrics/", None, proxy.headers)
    assert answer.status == 200
    assert b"litellm_" in answer.body
    name = 'litellm_patch_refusals_total{seam="proxy-exception",told="wait"}'
    found = re.findall(rf"^{re.escape(name)} ([\d.]+)$", answer.body.decode(), re.M)
    return int(float(found[0])) if found else 0
