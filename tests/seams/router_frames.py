"""A small router that refuses: functions in the shapes of LiteLLM's, of all releases."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import pytest

from litellm_patch.seams.refusal.refused_request import RefusedRequest, request_below

ROUTER = "litellm.router"
CHOOSES = "self, model, request_kwargs, then"


class Router:
    """As much of LiteLLM's router as is looked at."""

    enable_pre_call_checks = False

    def __init__(self, *deployments: object) -> None:
        self.deployments: object = list(deployments)
        self.asked: list[object] = []

    def _common_checks_available_deployment(self, model, request_kwargs, specific_deployment):
        self.asked.append((model, request_kwargs, specific_deployment))
        return model, self.deployments

    def _filter_cooldown_deployments(self): ...

    def _filter_pass_through_deployments(self, healthy_deployments):
        return [each for each in healthy_deployments if "pass" in each["model_info"]["id"]]


def function(parameters: str, body: str = "return then()", module: str = ROUTER) -> Any:
    """A function called `does` that is defined in `module`."""
    variables: dict[str, Any] = {"__name__": module}
    exec(f"def does({parameters}):\n {body}", variables)
    return variables["does"]


def nested(*calls: tuple[Any, ...], end: Any) -> Any:
    """Call the functions from each other, the outermost first, each with what is given."""
    for does, *given in reversed(calls):
        end = partial(does, *given, end)  # which has no frame of its own
    return end()


def below() -> RefusedRequest | None:
    """What is found at a refusal that LiteLLM makes in the function that calls this."""
    return request_below(sys._getframe(1))


def raised(*calls: tuple[Any, ...]) -> Any:
    """The traceback of what LiteLLM raises in the last of the functions."""

    def refuse():
        raise ValueError("No deployments available")

    with pytest.raises(ValueError) as caught:
        nested(*calls, end=refuse)
    return caught.value.__traceback__
