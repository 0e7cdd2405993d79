"""A tag's budget, at LiteLLM's own limiter: a proxy has it only with an enterprise licence."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

import pytest

import litellm_patch
from litellm_patch.seams.refusal import spent_budget

PERIOD = 15


@pytest.fixture
def patched(side, monkeypatch):
    monkeypatch.setattr(spent_budget, "_ends", OrderedDict())  # the other side's
    (litellm_patch.activate if side == "with-patch" else litellm_patch.deactivate)()
    yield
    litellm_patch.deactivate()


async def refusal(**spent: int) -> Exception:
    """What the router's limiter raises for a request whose tags have spent their budgets.

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
    deployment = {
        "model_name": "m",
        "litellm_params": {"model": "openai/m"},
        "model_info": {"id": "1"},
    }
    with pytest.raises(ValueError, match="crossed budget") as caught:
        await limiter.async_filter_deployments(
            "m", [deployment], None, {"metadata": {"tags": [*spent]}}
        )
    return caught.value


@pytest.mark.needs_patch(native=True)
def test_a_tags_spent_budget_tells_the_end_of_its_window(patched):
    pytest.importorskip("litellm.router_strategy.budget_limiter")
    assert PERIOD - 5 < told(asyncio.run(refusal(t=PERIOD))) <= PERIOD


@pytest.mark.needs_patch(native=True)
def test_under_two_spent_budgets_the_later_end_counts(patched):
    pytest.importorskip("litellm.router_strategy.budget_limiter")
    assert 95 < told(asyncio.run(refusal(short=PERIOD, long=100))) <= 100
    assert 95 < told(asyncio.run(refusal(long=100, short=PERIOD))) <= 100


def told(error: Exception) -> float:
    seconds = litellm_patch.retry_after(error)
    assert seconds is not None
    return seconds
