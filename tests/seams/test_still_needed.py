"""Each seam's defect, on the newest release, without the patch: as long as it is there, it fails.

The day such a test passes, CI is red and says which seam LiteLLM needs no longer.
"""

from __future__ import annotations

import asyncio
import re
import time
from importlib.metadata import version
from pathlib import Path

import pytest
from conftest import WITHOUT
from litellm_routers import cool, entry, router_of

import litellm_patch
from litellm_patch.seams.table import SEAMS
from litellm_patch.tools.lab.cooling import ask, cool_down
from litellm_patch.tools.lab.endpoints import ENDPOINTS
from litellm_patch.tools.lab.proxy import group
from litellm_patch.wait.delay_seconds import parse_delay_seconds
from litellm_patch.wait.exception_chain import find_refusal

MATRIX = (Path(__file__).parents[2] / "setup.cfg").read_text()
RELEASES = re.findall(r"^ +py\d+-litellm-([\d.]+)", MATRIX, flags=re.M)
NEWEST = max(RELEASES, key=lambda release: tuple(map(int, release.split("."))))
CONFIGURED, PASSED = 3, 1
"""Seconds: of a cooldown, and those of them that are over."""
IDS = ["a", "b"]

KIND = {endpoint.name: endpoint for endpoint in ENDPOINTS}
GONE = {
    "proxy-app": "1.100.0",
    "cooldown-begin": "1.110.0",
    "cooldown-left": "1.110.0",
    "fallbacks": "1.110.0",
}
"""Seams that the newest release does without: they stay for those before the one named."""

needed = {
    "cooldown-put-async",  # as cooldown-put, for requests that are asynchronous
    # Their tests run without the patch elsewhere, and must fail there:
    "proxy-app-cors",  # tests/proxy/test_browsers.py
    "stream-errors",  # tests/limits/test_chains.py
}

pytestmark = pytest.mark.skipif(
    version("litellm") != NEWEST, reason=f"this is asked of the newest release, {NEWEST}"
)


def needs(seam: str) -> pytest.MarkDecorator:
    """The mark of a test that fails as long as LiteLLM needs a seam."""
    needed.add(seam)
    reason = f"LiteLLM {NEWEST} needs the seam {seam}; if this passes, it can go for new releases"
    return pytest.mark.xfail(strict=True, raises=AssertionError, reason=reason)


@pytest.fixture(autouse=True)
def _stock() -> None:
    litellm_patch.deactivate()


def cooling_router(*seconds: float):
    """A router whose deployments failed once for each of `seconds`, the cooldown times."""
    router = router_of(*IDS)
    for lasts in seconds:
        cool(router, dict.fromkeys(IDS, lasts))
    return router


def test_every_seam_is_asked_about():
    assert needed | set(GONE) == {seam.name for seam in SEAMS}


@needs("cooldown-active")
def test_the_router_knows_what_is_left_of_a_cooldown():
    router = cooling_router(CONFIGURED)
    time.sleep(PASSED)
    left = router.health().cooldowns.get_min_cooldown(IDS, None)
    assert left <= CONFIGURED - PASSED


@needs("cooldown-put")
def test_a_record_tells_when_a_deployment_that_failed_twice_is_ready():
    router = cooling_router(PASSED, 60)
    time.sleep(PASSED + 0.1)
    assert router.health().cooldowns.get_active_cooldowns(IDS, None) != []


@needs("refusal")
def test_the_refusal_tells_what_is_left():
    router = cooling_router(CONFIGURED)
    time.sleep(PASSED)
    with pytest.raises(ValueError, match="No deployments available") as caught:
        router.get_available_deployment(model="m", messages=[])
    told = getattr(caught.value, "retry_after", caught.value.cooldown_time)
    assert told <= CONFIGURED - PASSED


@needs("fallbacks-rust")
def test_the_error_of_a_group_leads_to_the_refusal_of_its_fallback(stand_in, refusing):
    refusing("needed-x", status=400)
    refusing("needed-y")
    names = ("needed-x", "needed-y")
    router = router_of(
        *(each for n in names for each in group(n, stand_in.url, [f"{n}-a", f"{n}-b"])),
        fallbacks=[{"needed-x": ["needed-y"]}],
        cooldown_time=60,
        allowed_fails=0,
    )
    for _ in range(20):
        with pytest.raises(Exception) as caught:  # noqa: B017 - whatever LiteLLM makes of it
            router.completion(model="needed-x", messages=[{"role": "user", "content": "x"}])
        if "No deployments available" in str(caught.value):
            break
        time.sleep(0.1)  # LiteLLM books the failure behind the answer
    else:
        pytest.fail("the fallback does not cool down")
    assert find_refusal(caught.value, None, time.monotonic()) is not None


@needs("budgets")
def test_a_refusal_by_a_budget_knows_its_end():
    from litellm.caching.caching import DualCache
    from litellm.router_strategy.budget_limiter import RouterBudgetLimiting
    from litellm.types.utils import BudgetConfig

    async def refuse() -> Exception:
        budget = BudgetConfig(budget_limit=0.1, time_period="15s")
        limiter = RouterBudgetLimiting(DualCache(), provider_budget_config={"openai": budget})
        await limiter.dual_cache.async_set_cache("provider_spend:openai:15s", 1.0, ttl=15)
        with pytest.raises(ValueError, match="crossed budget") as caught:
            await limiter.async_filter_deployments("m", [entry("a")], None, {})
        return caught.value

    error = asyncio.run(refuse())
    assert getattr(error, "retry_after", None) or getattr(error, "headers", None)


@needs("proxy-exception")
def test_every_endpoint_sets_the_header(proxy_on, refusing):
    proxy = proxy_on(WITHOUT)
    refusing("needed")
    cool_down(proxy, "needed")
    answers = [ask(proxy, KIND[kind], "needed") for kind in ("chat", "completions", "images")]
    assert [answer.status for answer in answers] == [429, 429, 429]
    assert [answer.retry_after is None for answer in answers] == [False, False, False]


@needs("proxy-app-http")
def test_no_limiter_tells_a_fraction_of_a_second():
    from litellm.caching.caching import DualCache
    from litellm.proxy.hooks.parallel_request_limiter import _PROXY_MaxParallelRequestsHandler
    from litellm.proxy.utils import InternalUsageCache

    limiter = _PROXY_MaxParallelRequestsHandler(InternalUsageCache(DualCache()))
    assert parse_delay_seconds(str(limiter.time_to_next_minute())) is not None


def test_no_endpoint_lets_a_refusal_escape_any_more(proxy_on, refusing):
    assert "proxy-app" in GONE
    proxy = proxy_on(WITHOUT)
    refusing("needed")
    cool_down(proxy, "needed")
    assert [ask(proxy, KIND[kind], "needed").status for kind in ("speech", "gemini")] == [429, 429]
