"""What a client is told when the rpm of a model's deployments is used up."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import LAUNCH, WITH, checks_rpm_before_a_call
from running import KIND, shared, tells_end_of_minute, use_up, wait_as_told

from litellm_patch.tools.lab.proxy import Proxy, config, group, running_proxy
from litellm_patch.tools.lab.stand_in import running_stand_in

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


@shared
def limited(stack: ExitStack, side: str, how: str) -> Proxy:
    """Give the proxy of a side with a kind of limits."""
    stand_in = stack.enter_context(running_stand_in())
    names = [f"rpm-{each}" for each in "abcd"]
    groups = [entry for name in names for entry in group(name, stand_in.url, [name], rpm=1)]
    configuration = config(groups, router_settings=BY_MODEL[how])
    proxy = stack.enter_context(running_proxy(configuration, launch=LAUNCH[side]))
    if (side, how) == (WITH, "usage-based"):
        waiting["rpm-d"] = ThreadPoolExecutor().submit(wait_as_told, proxy, "rpm-d")
    return proxy


@pytest.mark.needs_patch(native=True)
@pytest.mark.parametrize("how", ways())
@pytest.mark.parametrize("kind, model", [("chat", "rpm-a"), ("chat-stream", "rpm-b")])
def test_a_models_limit_tells_the_end_of_its_minute(limited, side, how, kind, model):
    assert tells_end_of_minute(use_up(limited(side, how), model, KIND[kind]))


@pytest.mark.needs_patch(native=True)
@pytest.mark.parametrize("kind", ["messages-openai", "speech"])
def test_other_endpoints_tell_it_too(limited, side, kind):
    assert tells_end_of_minute(use_up(limited(side, "usage-based"), "rpm-c", KIND[kind]))


def test_a_client_that_waits_as_told_is_served(limited):
    limited(WITH, "usage-based")
    assert waiting["rpm-d"].result(timeout=120) == 200
