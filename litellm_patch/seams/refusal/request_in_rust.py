"""The request that LiteLLM's router in Rust is refusing (1.110.0 and later).

The router in Rust has no readable frames, but it hands each of its steps to Python: the choice by a
strategy, the checks before a call, the error that is raised. The Python functions that handle a
step have its description, with the name that is being routed, and the request.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import FrameType
from typing import Any

_ANSWERS = "_answer_select"
"""A method that only the Python side of the router in Rust has."""


def core_of(frame: FrameType) -> Any:
    """The router for which `frame` handles a step; None if it handles none."""
    if "step" not in frame.f_code.co_varnames:
        return None
    answers = frame.f_locals.get("self")
    if not hasattr(type(answers), _ANSWERS):
        answers = getattr(answers, "_core", None)  # `self` is a call, or a choice without a call
    return answers if hasattr(type(answers), _ANSWERS) else None


def asked_for(variables: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    """The name that is being routed and LiteLLM's arguments of the request, or None.

    Args:
        variables: those of a frame that `core_of` recognises.
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
