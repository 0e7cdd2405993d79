"""When the window of a key's limit ends, read from a limiter that refuses."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace

import pytest
from conftest import has_rust_router
from router_frames import function, raised

from litellm_patch.seams.record.key_windows import window_end

CLOCK = 1_795_000_000.0
KEY = "{key:sk-1}:window"
DESCRIPTOR = {"key": "key", "value": "sk-1", "rate_limit": {"window_size": 90}}
LIMITER = "litellm.proxy.hooks.parallel_request_limiter_v3"


class LimiterInRust:
    """As much of the limiter of 1.110.0 and later as is looked at."""

    window_size = 60

    def __init__(self, start: object) -> None:
        self.rate_limits = SimpleNamespace(
            local=lambda asked: [{KEY: start}[each] for each in asked]
        )

    def rate_limit_counter(self, key, value, rate_limit_type):
        assert rate_limit_type in ("requests", "tokens")
        return SimpleNamespace(window=f"{{{key}:{value}}}:window")


def refusal(
    start: object = CLOCK - 20,
    expires: object = None,
    variables: str = "status, descriptor",
    module: str | None = LIMITER,
    status: object = None,
    through: tuple[str | None, ...] = (),
    in_rust: bool = False,
    descriptor: object = DESCRIPTOR,
    matching: object = None,
) -> BaseException:
    """What the limiter raises, whose window began at `start` and is dropped at `expires`.

    Args:
        variables: what the function that raises has beside `self`, in the order of the arguments
            status, descriptor, matching_descriptor.
        through: modules of functions that the exception comes through, the innermost last.
        in_rust: whether the limiter keeps its windows there.
    """
    memory = SimpleNamespace(cache_dict={KEY: start}, ttl_dict={KEY: expires})
    cache = SimpleNamespace(dual_cache=SimpleNamespace(in_memory_cache=memory))
    limiter = SimpleNamespace(internal_usage_cache=cache, window_size=60)
    if in_rust:
        limiter = LimiterInRust(start)
    given = [limiter, {"rate_limit_type": "requests"} if status is None else status]
    given += [descriptor, matching][: variables.count(",")]
    raising = function(f"self, {variables}, then", module=module)
    calls = [(function("then", module=each),) for each in through]
    error = ValueError()
    error.__traceback__ = raised(*calls, (raising, *given))
    return error


def test_a_window_ends_its_size_after_its_start():
    assert window_end(refusal(), CLOCK) == CLOCK + 70
    assert window_end(refusal(str(int(CLOCK - 20))), CLOCK) == CLOCK + 70


@pytest.mark.parametrize("rate_limit", [None, {}])
def test_the_limiters_own_size_counts_where_the_limit_has_none(rate_limit):
    descriptor = {**DESCRIPTOR, "rate_limit": rate_limit}
    assert window_end(refusal(descriptor=descriptor), CLOCK) == CLOCK + 40


@pytest.mark.parametrize(
    "expires, end",
    [
        (CLOCK + 70.6, CLOCK + 70.6),  # written a part of a second after the start, which is cut
        (CLOCK + 600, CLOCK + 71),
        (CLOCK + 30, CLOCK + 70),
        ("x", CLOCK + 70),
    ],
)
def test_the_entry_may_end_up_to_a_second_after_the_window(expires, end):
    assert window_end(refusal(expires=expires), CLOCK) == end


@pytest.mark.parametrize(
    "start, end",
    [
        (CLOCK - 90.5, None),
        (CLOCK - 90, None),  # begins anew now
        (CLOCK - 89.5, CLOCK + 0.5),
        (CLOCK + 1, CLOCK + 91),  # another machine's clock
        (CLOCK + 1.5, None),
        (0, None),
        ("nan", None),
    ],
)
def test_a_window_that_cannot_be_the_one_that_refused_tells_nothing(start, end):
    assert window_end(refusal(start), CLOCK) == end


@pytest.mark.parametrize(
    "status, known",
    [
        ({"rate_limit_type": "requests"}, True),
        ({"rate_limit_type": "tokens"}, True),
        ({}, True),
        ({"rate_limit_type": "max_parallel_requests"}, False),
    ],
)
def test_parallel_requests_end_at_any_moment(status, known):
    assert window_end(refusal(status=status), CLOCK) == (CLOCK + 70 if known else None)


def test_the_descriptor_that_matched_counts_where_the_limiter_names_it():
    other = {**DESCRIPTOR, "value": "sk-2"}
    variables = "status, descriptor, matching_descriptor"
    error = refusal(descriptor=other, matching=DESCRIPTOR, variables=variables)
    assert window_end(error, CLOCK) == CLOCK + 70
    error = refusal(descriptor=DESCRIPTOR, matching=None, variables=variables)
    assert window_end(error, CLOCK) == CLOCK + 70


def test_the_innermost_function_of_the_limiter_is_asked():
    assert window_end(refusal(through=(LIMITER, "litellm.proxy.utils")), CLOCK) == CLOCK + 70
    error = refusal()
    error.__traceback__ = refusal(module="starlette", through=(LIMITER,)).__traceback__
    assert window_end(error, CLOCK) is None  # this one has no status


@pytest.mark.parametrize("module", ["litellm.proxy.hooks.parallel_request_limiter", None])
def test_another_limiter_is_not_read(module):
    assert window_end(refusal(module=module), CLOCK) is None
    assert window_end(ValueError(), CLOCK) is None


@pytest.mark.parametrize(
    "start, end",
    [
        (str(int(CLOCK - 20)), CLOCK + 71),  # when the entry expires cannot be read
        (CLOCK - 91, None),
        (CLOCK, CLOCK + 91),
        ("nan", None),
    ],
)
def test_where_rust_has_the_windows_the_end_is_the_last_possible(start, end):
    assert window_end(refusal(start, in_rust=True), CLOCK) == end


SECONDS = 40
OF_A_KEY = {
    "key": "api_key",
    "value": "k",
    "rate_limit": {"requests_per_unit": 1, "window_size": SECONDS},
}


@pytest.fixture
def limiter():
    if not has_rust_router():
        pytest.skip("this release keeps its windows in a cache in Python")
    from litellm.caching.dual_cache import DualCache
    from litellm.proxy.hooks import parallel_request_limiter_v3 as module
    from litellm.proxy.utils import InternalUsageCache

    return module._PROXY_MaxParallelRequestsHandler_v3(InternalUsageCache(DualCache()))


def refusal_of(limiter):
    """What the limiter raises for the second request."""

    async def ask():
        for _ in range(2):
            response = await limiter.should_rate_limit([OF_A_KEY])
            limiter._handle_rate_limit_error(response, [OF_A_KEY])

    with pytest.raises(Exception, match="Rate limit exceeded") as caught:
        asyncio.run(ask())
    return caught.value


def test_the_end_is_that_of_the_window_and_at_most_a_second_later(limiter):
    # The start is cut to a whole second, and when the entry expires cannot be read.
    began = time.time()
    error = refusal_of(limiter)
    end = window_end(error, time.time())
    assert began + SECONDS <= end <= time.time() + SECONDS + 1


def test_the_start_is_remembered_not_the_moment_of_the_refusal(limiter):
    began = int(time.time()) - 15
    counter = limiter.rate_limit_counter("api_key", "k", "requests")
    limiter.rate_limits.set_local(counter.window, str(began), SECONDS)
    limiter.rate_limits.set_local(counter, 1, SECONDS)
    assert window_end(refusal_of(limiter), time.time()) == began + SECONDS + 1
