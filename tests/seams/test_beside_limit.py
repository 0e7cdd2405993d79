"""Which cooling deployments LiteLLM's own router has beside one that is at its limit."""

from __future__ import annotations

import asyncio
import time

import pytest
from conftest import has_rust_router
from litellm_routers import cool, entry, is_left, router_of

from litellm_patch.seams.record.cooldown_cache import held_cooldown
from litellm_patch.seams.refusal.cooling_deployments import _cooldowns_of, cooling_beside_limit
from litellm_patch.wait.litellm_errors import is_own_limit

LASTS = {"x": 40, "y": 20}
"""Seconds of cooldown of a deployment, by its tag."""


@pytest.fixture(scope="module")
def router():
    entries = [
        *(entry(f"m-{each}", tags=[each], rpm=1) for each in LASTS),
        *(entry(f"m-{each}-limited", tags=[each], rpm=1) for each in LASTS),
        entry("m-blocked", info={"blocked": True}, tags=["x"], rpm=1),
        entry("limits", "limits", rpm=1),
    ]
    router = router_of(
        *entries,
        routing_strategy="usage-based-routing-v2",
        enable_tag_filtering=True,
    )
    cool(router, {**{f"m-{each}": lasts for each, lasts in LASTS.items()}, "m-blocked": 5})
    return router


def limit_of(router, model, **kwargs):
    """The refusal of a request when the one of this minute has been served."""

    async def ask():
        for _ in range(6):  # the minute may end between any two
            messages = [{"role": "user", "content": "hi"}]
            await router.acompletion(model=model, messages=messages, **kwargs)
            await asyncio.sleep(0.05)  # LiteLLM counts behind the answer

    with pytest.raises(Exception, match="No deployments|over defined rpm") as caught:
        asyncio.run(ask())
    assert is_own_limit(caught.value)
    if not has_rust_router() and held_cooldown(_cooldowns_of(router), "m-x-limited"):
        pytest.skip("this release cools a deployment that its own limit refused")
    return caught.value


def seconds(error):
    found = cooling_beside_limit(error)
    return found and found.ready_at - time.monotonic()


@pytest.mark.parametrize("tag", LASTS)
def test_only_deployments_of_the_requests_tag_count_and_none_that_is_paused(router, tag):
    error = limit_of(router, "m", metadata={"tags": [tag]})
    assert is_left(seconds(error), LASTS[tag])


def test_where_nothing_is_cooling_there_is_only_the_limit(router):
    assert seconds(limit_of(router, "limits")) is None
