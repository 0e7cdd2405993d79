"""When the window of a key's limit ends, read from a limiter that refuses."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from router_frames import function, raised

from litellm_patch.seams.record.key_windows import window_end

CLOCK = 1_795_000_000.0
KEY = "{key:sk-1}:window"
DESCRIPTOR = {"key": "key", "value": "sk-1", "rate_limit": {"window_size": 90}}
LIMITER = "litellm.proxy.hooks.parallel_request_limiter_v3"


def limiter_in_rust(start: object) -> SimpleNamespace:
    """As much of the limiter of 1.110.0 and later as is looked at."""
    return SimpleNamespace(
        window_size=60,
        rate_limits=SimpleNamespace(local=lambda asked: [{KEY: start}[each] for each in asked]),
        rate_limit_counter=lambda key, value, rate_limit_type: SimpleNamespace(
            window={"requests": f"{{{key}:{value}}}:window"}[rate_limit_type]
        ),
    )


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
        limiter = limiter_in_rust(start)
    given = [limiter, {"rate_limit_type": "requests"} if status is None else status]
    given += [descriptor, matching][: variables.count(",")]
    raising = function(f"self, {variables}, then", module=module)
    calls = [(function("then", module=each),) for each in through]
    error = ValueError()
    error.__traceback__ = raised(*calls, (raising, *given))
    return error


def sized(rate_limit: object) -> dict[str, object]:
    return {"descriptor": {**DESCRIPTOR, "rate_limit": rate_limit}}


def matching(descriptor: object, matched: object) -> dict[str, object]:
    variables = "status, descriptor, matching_descriptor"
    return {"descriptor": descriptor, "matching": matched, "variables": variables}


def of_type(name: str) -> dict[str, object]:
    return {"status": {"rate_limit_type": name}}


OTHER = {**DESCRIPTOR, "value": "sk-2"}


@pytest.mark.parametrize(
    "how, ends_in",
    [
        pytest.param({}, 70, id="its size after its start"),
        pytest.param({"start": str(int(CLOCK - 20))}, 70, id="a start that Redis gave"),
        pytest.param(sized(None), 40, id="the limiter's own size"),
        pytest.param(sized({}), 40, id="the limiter's own size, too"),
        # The entry is written a part of a second after the start, which is cut.
        pytest.param({"expires": CLOCK + 70.6}, 70.6, id="the entry"),
        pytest.param({"expires": CLOCK + 600}, 71, id="an entry that stays longer"),
        pytest.param({"expires": CLOCK + 30}, 70, id="an entry that ends earlier"),
        pytest.param({"expires": "x"}, 70, id="an entry without an end"),
        pytest.param({"start": CLOCK - 90}, None, id="a window that begins anew now"),
        pytest.param({"start": CLOCK - 89.5}, 0.5, id="the end of a window"),
        pytest.param({"start": CLOCK + 1}, 91, id="the clock of another machine"),
        pytest.param({"start": CLOCK + 1.5}, None, id="a start to come"),
        pytest.param({"start": 0}, None, id="no start"),
        pytest.param({"start": "nan"}, None, id="no number"),
        pytest.param(of_type("tokens"), 70, id="tokens"),
        pytest.param({"status": {}}, 70, id="no type"),
        pytest.param(of_type("max_parallel_requests"), None, id="parallel requests end any time"),
        pytest.param(matching(OTHER, DESCRIPTOR), 70, id="the descriptor that matched"),
        pytest.param(matching(DESCRIPTOR, None), 70, id="no descriptor that matched"),
        pytest.param({"through": (LIMITER, "litellm.proxy.utils")}, 70, id="the innermost"),
        pytest.param({"through": (LIMITER,), "module": "starlette"}, None, id="without a status"),
        pytest.param({"module": LIMITER.removesuffix("_v3")}, None, id="another limiter"),
        pytest.param({"module": None}, None, id="no module"),
        # When the entry of a window in Rust expires cannot be read: the last possible end.
        pytest.param({"in_rust": True, "start": str(int(CLOCK - 20))}, 71, id="in Rust"),
        pytest.param({"in_rust": True, "start": CLOCK}, 91, id="in Rust, now"),
        pytest.param({"in_rust": True, "start": CLOCK - 91}, None, id="in Rust, over"),
    ],
)
def test_the_window_of_a_limit_ends(how, ends_in):
    assert window_end(refusal(**how), CLOCK) == (ends_in and CLOCK + ends_in)


def test_an_error_that_was_not_raised_has_no_window():
    assert window_end(ValueError(), CLOCK) is None
