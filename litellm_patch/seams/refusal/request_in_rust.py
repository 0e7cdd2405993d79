"""The request that LiteLLM's router in Rust is refusing (1.110.0 and later).

The router in Rust has no frames that could be read, but it hands each of its steps to Python: the
choice by a strategy, the checks before a call, the error that is raised. The functions that answer
have the step, with the name that is being routed, and the request; and LiteLLM's registry lists
the deployments that a name may be routed to, whether they are cooling or not.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import FrameType
from typing import Any

_ANSWERS = "_answer_select"
"""A method of the Python side of the router in Rust, which no other object has."""

_TAGS = "litellm.router_strategy.tag_based_routing"


def core_of(frame: FrameType) -> Any:
    """The router of which `frame` answers a step; None if it does nothing of that kind."""
    if "step" not in frame.f_code.co_varnames:
        return None
    answers = frame.f_locals.get("self")
    if not hasattr(type(answers), _ANSWERS):
        answers = getattr(answers, "_core", None)  # of a call, or of a choice without a call
    return answers if hasattr(type(answers), _ANSWERS) else None


def asked_for(variables: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    """The name that is being routed and LiteLLM's arguments of the request; None if not there.

    Args:
        variables: of a frame that `core_of` knows.
    """
    step, kwargs = variables.get("step"), variables.get("request")
    model = step.get("model") if isinstance(step, Mapping) else None
    if not isinstance(model, str):
        model = variables.get("model")
    if kwargs is None:
        kwargs = getattr(variables.get("self"), "_request", None)
    if not isinstance(model, str) or not isinstance(kwargs, Mapping):
        return None
    return model, kwargs


def module_of_choice() -> Mapping[str, Any]:
    """The global variables of the module that chooses by tags."""
    return vars(sys.modules[_TAGS]) if _TAGS in sys.modules else {}


def listed(core: Any, model: str, kwargs: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The deployments that `model` means for this request, also those that are cooling."""
    return list(core.registry().deployments(model, source="routable", request=kwargs))
