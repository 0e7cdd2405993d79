"""When the window of a key's limit ends, read from LiteLLM's own limiter (1.110.0 and later)."""

from __future__ import annotations

import asyncio
import time

import pytest
from conftest import has_rust_router

from litellm_patch.seams.record.key_windows import window_end

SIZE = 40
DESCRIPTOR = {
    "key": "api_key",
    "value": "k",
    "rate_limit": {"requests_per_unit": 1, "window_size": SIZE},
}


@pytest.fixture
def limiter():
    if not has_rust_router():
        pytest.skip("this release keeps its windows in a cache in Python")
    from litellm.caching.dual_cache import DualCache
    from litellm.proxy.hooks import parallel_request_limiter_v3 as module
    from litellm.proxy.utils import InternalUsageCache

    return module._PROXY_MaxParallelRequestsHandler_v3(InternalUsageCache(DualCache()))


def refusal(limiter):
    """What the limiter raises for the second request."""

    async def ask():
        for _ in range(2):
            response = await limiter.should_rate_limit([DESCRIPTOR])
            limiter._handle_rate_limit_error(response, [DESCRIPTOR])

    with pytest.raises(Exception, match="Rate limit exceeded") as caught:
        asyncio.run(ask())
    return caught.value


def test_the_end_is_that_of_the_window_and_at_most_a_second_later(limiter):
    # The start is cut to a whole second, and when the entry expires cannot be read.
    began = time.time()
    error = refusal(limiter)
    end = window_end(error, time.time())
    assert began + SIZE <= end <= time.time() + SIZE + 1


def test_the_start_is_remembered_not_the_moment_of_the_refusal(limiter):
    began = int(time.time()) - 15
    counter = limiter.rate_limit_counter("api_key", "k", "requests")
    limiter.rate_limits.set_local(counter.window, str(began), SIZE)
    limiter.rate_limits.set_local(counter, 1, SIZE)
    assert window_end(refusal(limiter), time.time()) == began + SIZE + 1
