"""What a client is told when the rpm of a model's deployments is used up."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import LAUNCH, WITH, checks_rpm_before_a_call

from litellm_patch.tools.lab.cooling import ask
from litellm_patch.tools.lab.endpoints import ENDPOINTS
from litellm_patch.tools.lab.proxy import config, group, running_proxy
from litellm_patch.tools.lab.stand_in import running_stand_in

KIND = {endpoint.name: endpoint for endpoint in ENDPOINTS}
BY_MODEL = {
    "usage-based": {"routing_strategy": "usage-based-routing-v2"},
    "pre-call-checks": {"enable_pre_call_checks": True},
    # LiteLLM takes this refusal for a failure of the deployment and cools it down, which then
    # is what the next client is told.
    "enforced": {
        "optional_pre_call_checks": ["enforce_model_rate_limits"],
        "disable_cooldowns": True,
    },
}


def why_not(how: str) -> str | None:
    """Why the installed release cannot refuse in this way, or None where it can."""
    if how == "pre-call-checks" and not checks_rpm_before_a_call():
        return "this release's checks before a call do not look at rpm"
    if how == "enforced":
        home = Path(find_spec("litellm").origin).parent
        check = home / "router_utils" / "pre_call_checks" / "model_rate_limit_check.py"
        if not check.exists():
            return "this release cannot enforce rpm for every routing strategy"
    return None


def ways() -> list:
    """`BY_MODEL` as parameters; what a release cannot do is skipped with the reason."""
    reasons = {how: why_not(how) for how in BY_MODEL}
    return [
        pytest.param(how, marks=[pytest.mark.skip(reason)] if reason else [])
        for how, reason in reasons.items()
    ]


waiting: dict[str, Future[int]] = {}
"""Model to the status that a client of its will have got, which waits while other tests run."""


@pytest.fixture(scope="module")
def limited():
    """A function that gives the proxy of a side with a kind of limits."""
    running = {}
    pool = ThreadPoolExecutor()
    with ExitStack() as stack:
        stack.callback(pool.shutdown, wait=False)
        stand_in = stack.enter_context(running_stand_in())
        groups = [
            entry
            for name in ("a", "b", "c", "d")
            for entry in group(f"rpm-{name}", stand_in.url, [f"rpm-{name}"], rpm=1)
        ]
        configurations = {
            how: config(groups, router_settings=settings) for how, settings in BY_MODEL.items()
        }

        def get(side, how):
            if (side, how) not in running:
                started = running_proxy(configurations[how], launch=LAUNCH[side])
                proxy = running[side, how] = stack.enter_context(started)
                if (side, how) == (WITH, "usage-based"):
                    waiting["rpm-d"] = pool.submit(wait_as_told, proxy, "rpm-d")
            return running[side, how]

        yield get


def use_up(proxy, kind, model):
    """Ask until the group's one request a minute is used up; the answer that refuses."""
    for _ in range(6):
        answer = ask(proxy, KIND["chat"], model)
        if answer.status == 429:
            answer = ask(proxy, kind, model)
            if answer.status != 200:
                return answer
        # The request was served: the first of its minute, which may end between any two.
    raise AssertionError(f"{model} is not limited: {answer.status} {answer.body[:200]!r}")


def wait_as_told(proxy, model) -> int:
    answer = use_up(proxy, KIND["chat"], model)
    time.sleep(int(answer.retry_after))
    return ask(proxy, KIND["chat"], model).status


def is_end_of_minute(seconds: int) -> bool:
    left = 60 - time.time() % 60
    return min(abs(seconds - left), 60 - abs(seconds - left)) < 5


@pytest.mark.needs_patch(native=True)
@pytest.mark.parametrize("how", ways())
@pytest.mark.parametrize("kind, model", [("chat", "rpm-a"), ("chat-stream", "rpm-b")])
def test_a_models_limit_tells_the_end_of_its_minute(limited, side, how, kind, model):
    answer = use_up(limited(side, how), KIND[kind], model)
    assert answer.status == 429
    assert answer.retry_after is not None
    assert is_end_of_minute(int(answer.retry_after))


@pytest.mark.needs_patch(native=True)
@pytest.mark.parametrize("kind", ["messages-openai", "speech"])
def test_other_endpoints_tell_it_too(limited, side, kind):
    answer = use_up(limited(side, "usage-based"), KIND[kind], "rpm-c")
    assert answer.status == 429
    assert answer.retry_after is not None
    assert is_end_of_minute(int(answer.retry_after))


def test_a_client_that_waits_as_told_is_served(limited):
    limited(WITH, "usage-based")
    assert waiting["rpm-d"].result(timeout=120) == 200
