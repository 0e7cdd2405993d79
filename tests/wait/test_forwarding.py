"""A provider's own wait, where the operator wants it forwarded, and which refusals go before it."""

from __future__ import annotations

import pytest

from litellm_patch.wait import marks
from litellm_patch.wait.cooling import Cooling
from litellm_patch.wait.exception_chain import COOLING
from litellm_patch.wait.tell import Teller

NOW, CLOCK = 1000.0, 1_795_346_272.5
COOLDOWN = type("RouterRateLimitError", (ValueError,), {"__module__": "litellm.types.router"})


def provider(status: int = 429, told: str = "7") -> Exception:
    error = RuntimeError("the provider refuses")
    error.status_code, error.litellm_response_headers = status, {"Retry-After": told}
    return error


def cooling(below: Exception) -> Exception:
    error = COOLDOWN("No deployments available for selected model")
    error.cooldown_time, error.__context__ = 60, below
    marks.put(error, COOLING, Cooling(NOW + 30, "m"))
    return error


def beneath(top: Exception, below: Exception) -> Exception:
    top.__cause__ = below
    return top


def told(error: Exception, message: str | None, forward: bool = True) -> str | None:
    found = Teller().tell(error, message, {}, now=NOW, clock=CLOCK, forward_provider=forward)
    return None if found is None else found.headers.get("retry-after")


@pytest.mark.parametrize("forward", [True, False])
def test_a_cooldown_goes_before_the_providers_number_that_brought_it_about(forward):
    message = "No deployments available ... the provider refuses"
    assert told(cooling(provider()), message, forward) == "30"


@pytest.mark.parametrize("status, seconds", [(429, "7"), (503, None), (500, None)])
def test_only_a_providers_429_is_forwarded(status, seconds):
    assert told(provider(status), "the provider refuses") == seconds


@pytest.mark.parametrize(
    "message, seconds",
    [("failed: the provider refuses", "7"), ("something else", None), (None, "7")],
)
def test_below_the_top_it_counts_if_the_client_is_told_of_it(message, seconds):
    assert told(beneath(RuntimeError("failed"), provider()), message) == seconds


def test_without_the_option_it_is_left_to_litellm():
    assert told(provider(), "the provider refuses", forward=False) is None
