"""A tag's budget, at LiteLLM's own limiter: a proxy has it only with an enterprise licence."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict

import pytest

import litellm_patch
from litellm_patch.wait import limits

PERIOD = 15
SPENT_UNTIL = f"tag_spend:t:{PERIOD}s"


@pytest.fixture
def patched(side, monkeypatch):
    monkeypatch.setattr(limits, "_budget_ends", OrderedDict())  # the other side's
    (litellm_patch.activate if side == "with-patch" else litellm_patch.deactivate)()
    yield
    litellm_patch.deactivate()


async def refusal() -> Exception:
    """What the router's limiter raises for a request with a tag that has spent its budget."""
    from litellm.caching.caching import DualCache
    from litellm.router_strategy.budget_limiter import GenericBudgetInfo, RouterBudgetLimiting

    cache = DualCache()
    limiter = RouterBudgetLimiting(cache, provider_budget_config=None, model_list=[])
    limiter.tag_budget_config = {"t": GenericBudgetInfo(time_period=f"{PERIOD}s", budget_limit=1)}
    await cache.async_set_cache(SPENT_UNTIL, 2.0, ttl=PERIOD)
    deployment = {
        "model_name": "m",
        "litellm_params": {"model": "openai/m"},
        "model_info": {"id": "1"},
    }
    with pytest.raises(ValueError, match="crossed budget") as caught:
        await limiter.async_filter_deployments(
            "m", [deployment], None, {"metadata": {"tags": ["t"]}}
        )
    return caught.value


@pytest.mark.needs_patch(native=True)
def test_a_tags_spent_budget_tells_the_end_of_its_window(patched):
    pytest.importorskip("litellm.router_strategy.budget_limiter")
    found = limits.find_limit(asyncio.run(refusal()), "", time.monotonic(), time.time())
    assert found is not None
    assert PERIOD - 5 < found.seconds <= PERIOD
