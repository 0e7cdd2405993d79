"""When a request that spent budgets refuse can be served: which of its budgets decides."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from litellm_routers import entry

import litellm_patch
from litellm_patch.seams.refusal import fastest_response, spent_budget
from litellm_patch.seams.refusal.spent_budget import end_of, remember, remember_end

TOLD = "Exceeded budget for provider openai: 2.0 >= 1.0\n"
PERIOD = 15


@pytest.fixture
def ends(monkeypatch):
    """What is remembered: by the text of the refusal, the end that it waits for."""
    remembered: OrderedDict[str, float] = OrderedDict()
    monkeypatch.setattr(spent_budget, "_ends", remembered)
    return remembered


def refuse(
    *deployments: str | None,
    budgets: dict[str, tuple[float | None, float | None]],
    limit: object = 1.0,
    allowed: tuple[str, ...] = (),
) -> None:
    """LiteLLM filters deployments by budgets, all of `limit`, for a request with two tags.

    Args:
        deployments: ids; the provider of a deployment is the first letter of its id.
        budgets: by "kind:name", what was spent, and the `time.time()` at which LiteLLM forgets it.
    """

    def configs(kind):
        budget = SimpleNamespace(budget_duration="1d", max_budget=limit)
        return {name.split(":")[1]: budget for name in budgets if name.startswith(kind)} or None

    def cached(part):
        keys = {f"{name.replace(':', '_spend:')}:1d": each[part] for name, each in budgets.items()}
        return {key: number for key, number in keys.items() if number is not None}

    limiter = SimpleNamespace(
        dual_cache=SimpleNamespace(in_memory_cache=SimpleNamespace(ttl_dict=cached(1))),
        tag_budget_config=configs("tag"),
        _get_llm_provider_for_deployment=lambda each: each.get("model_info", {"id": "a"})["id"][0],
    )
    infos = [{} if each is None else {"model_info": {"id": each}} for each in deployments]
    arguments = {
        "healthy_deployments": [{"model_name": "m", **info} for info in infos],
        "provider_configs": configs("provider"),
        "deployment_configs": configs("deployment"),
        "spend_map": cached(0),
        "request_tags": ["free", "paid"],
    }
    remember_end(limiter, arguments, ([*allowed], TOLD))


A, A1 = "provider:a", "deployment:a1"


@pytest.mark.parametrize(
    "deployments, budgets, end",
    [
        # A spent budget ends with its window.
        (["a1"], {A: (2.0, 50.0)}, 50.0),
        (["a1"], {A1: (2.0, 50.0)}, 50.0),
        (["a1"], {"tag:paid": (2.0, 50.0)}, 50.0),
        ([None], {A: (2.0, 50.0)}, 50.0),  # a deployment without an id
        # It is spent when it is reached.
        (["a1"], {A: (1.0, 50.0)}, 50.0),
        # Under two spent budgets, the later end counts.
        (["a1"], {A: (2.0, 50.0), A1: (2.0, 70.0)}, 70.0),
        (["a1"], {A: (2.0, 70.0), A1: (2.0, 50.0)}, 70.0),
        # A budget that is not spent does not count.
        (["a1"], {A: (2.0, 50.0), A1: (0.9, 70.0)}, 50.0),
        (["a1"], {A: (2.0, 50.0), A1: (None, 70.0)}, 50.0),
        # The first deployment that is open again decides.
        (["a1", "b1"], {A: (2.0, 70.0), "provider:b": (2.0, 50.0)}, 50.0),
        # One unknown window leaves the end of a deployment unknown.
        (["a1"], {A: (2.0, 50.0), A1: (2.0, None)}, None),
    ],
)
def test_the_first_deployment_whose_budgets_are_all_open_decides(ends, deployments, budgets, end):
    refuse(*deployments, budgets=budgets)
    assert ends == ({} if end is None else {TOLD: end})


@pytest.mark.parametrize("how", [{"limit": None}, {"limit": 0}, {"allowed": ("b1",)}])
def test_budgets_that_refuse_nobody_are_not_remembered(ends, how):
    refuse("a1", "b1", budgets={A: (2.0, 50.0)}, **how)
    assert ends == {}


def test_a_request_for_several_models_learns_which_of_them_refused(ends, monkeypatch):
    keep = Mock()
    monkeypatch.setattr(fastest_response, "keep_budget", keep)
    refuse("a1", budgets={A: (2.0, 50.0)})
    models, *what = keep.call_args.args
    assert ([*models], what) == (["m"], [TOLD, 50.0])


def test_of_several_budgets_that_is_told_which_was_crossed(ends):
    remember("budget of a", 90.0)
    remember("budget of b", 50.0)
    remember("", 10.0)
    assert end_of(ValueError("crossed budget: budget of a")) == 90
    assert end_of(ValueError("crossed budget: budget of c")) is None
    both = ValueError("crossed budget: budget of a, budget of b")
    assert end_of(both) == 50  # the last to be noted is the one that was crossed now
    remember("budget of a", 70.0)
    assert end_of(both) == 70


def test_two_hundred_budgets_are_remembered(ends):
    remember("the first", 5.0)
    for number in range(199):
        remember(f"number {number};", float(number))
    remember("the first", 6.0)
    remember("one more", 7.0)
    assert end_of(ValueError("the first")) == 6
    assert end_of(ValueError("number 0;")) is None
    assert end_of(ValueError("number 1;")) == 1


async def refusal_by_tags(**spent: int) -> Exception:
    """What LiteLLM's limiter raises for a request whose tags have spent their budgets.

    A proxy has such budgets only with an enterprise licence.

    Args:
        spent: for each tag the seconds of its window.
    """
    from litellm.caching.caching import DualCache
    from litellm.router_strategy.budget_limiter import GenericBudgetInfo, RouterBudgetLimiting

    cache = DualCache()
    limiter = RouterBudgetLimiting(cache, provider_budget_config=None, model_list=[])
    limiter.tag_budget_config = {
        tag: GenericBudgetInfo(time_period=f"{seconds}s", budget_limit=1)
        for tag, seconds in spent.items()
    }
    for tag, seconds in spent.items():
        await cache.async_set_cache(f"tag_spend:{tag}:{seconds}s", 2.0, ttl=seconds)
    with pytest.raises(ValueError, match="crossed budget") as caught:
        request = {"metadata": {"tags": [*spent]}}
        await limiter.async_filter_deployments("m", [entry("m")], None, request)
    return caught.value


@pytest.mark.needs_patch(native=True)
@pytest.mark.parametrize(
    "spent, end",
    [({"t": PERIOD}, PERIOD), ({"a": PERIOD, "b": 100}, 100), ({"b": 100, "a": PERIOD}, 100)],
)
def test_a_tags_spent_budget_tells_the_later_end_of_the_windows(patched, ends, spent, end):
    pytest.importorskip("litellm.router_strategy.budget_limiter")
    error = asyncio.run(refusal_by_tags(**spent))
    seconds = litellm_patch.retry_after(error)
    assert seconds is not None
    assert end - 5 < seconds <= end
