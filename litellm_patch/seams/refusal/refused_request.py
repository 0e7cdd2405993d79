"""The request that LiteLLM's router is refusing, and the deployments that could have served it.

LiteLLM builds its refusal from a list of ids that it looks up by the name of the group. That list
is empty for a team's public model name, and too long where tags, teams or regions rule some of the
group out. Only the local variables of the refusing function hold the deployments that the router
really chose from, and a wrapper around that function would run on each request that is served.
So those variables are read from the stack, and the router is asked again through its own functions.
From 1.109.1 on the refusal itself names the deployments (`cooldown_deployments`).
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from traceback import walk_tb
from types import FrameType, TracebackType
from typing import Any

from ..frames import module_of
from . import request_in_rust

Deployment = Mapping[str, Any]

_RESOLVES = "_common_checks_available_deployment"
"""The router's method that resolves a name, which may be an alias, a team's public name, a wildcard
or a provider's model."""

_CHOOSES = "_filter_cooldown_deployments"
"""Another method of the router. A routing strategy has the first one, too."""

_FILTERS = ("filter_team_based_models", "filter_web_search_deployments")
"""Functions of the router's module that rule deployments out. Not every release has them."""

_METADATA = ("litellm_metadata", "metadata")
"""Where LiteLLM keeps its own data about a request; the first that exists counts."""

_TAGS = "litellm.router_strategy.tag_based_routing"


@dataclass(frozen=True)
class RefusedRequest:
    """A request for which the router found no deployment.

    Attributes:
        router: LiteLLM's router, or the object behind it that chooses.
        model: the name that the request asked for.
        kwargs: LiteLLM's arguments of the request, with its metadata.
        module: the global variables of the router's module.
        function: the name of the router's function that was to find a deployment.
        specific: whether the request asked for one particular deployment.
        chooses: whether that function chooses a deployment; if not, it has chosen one before.
    """

    router: Any
    model: str
    kwargs: Mapping[str, Any]
    module: Mapping[str, Any]
    function: str
    specific: bool
    chooses: bool


def request_below(frame: FrameType | None) -> RefusedRequest | None:
    """The request that the router is refusing in `frame` or in one that called it."""
    found = None
    while frame is not None and module_of(frame) == "litellm":
        request = _request(frame)
        if request is not None and request.chooses:
            # The inner function may already have resolved the name that the request asked for.
            found = request
        elif found is not None:
            break
        frame = frame.f_back
    return found


def request_that_raised(traceback: TracebackType | None) -> RefusedRequest | None:
    """The request in the innermost function of the router that an exception came through."""
    found = None
    for frame, _ in walk_tb(traceback):
        found = _request(frame) or found
    return found


def pinned_to(traceback: TracebackType | None) -> tuple[Any, str] | None:
    """The router and the id of the deployment that a refused follow-up request is bound to."""
    found = None
    for frame, _ in walk_tb(traceback):
        if module_of(frame) == "litellm" and "model_id" in frame.f_code.co_varnames:
            variables = frame.f_locals
            router = getattr(variables.get("self"), "router", None)
            model_id = variables.get("model_id")
            if hasattr(router, _RESOLVES) and isinstance(model_id, str):
                found = router, model_id
    return found


def candidates(request: RefusedRequest) -> list[Deployment]:
    """The deployments that could serve `request` if none of them were cooling.

    Raises whatever LiteLLM raises for an unknown name.
    """
    deployments = _meant(request)
    for name in _FILTERS:
        rule_out = request.module.get(name)
        if rule_out is not None:
            deployments = rule_out(healthy_deployments=deployments, request_kwargs=request.kwargs)
    if request.function.endswith("for_pass_through"):
        pass_through = request.router._filter_pass_through_deployments
        deployments = pass_through(healthy_deployments=deployments)
    open_ones = [each for each in deployments if _info(each).get("blocked") is not True]
    return _of_tags(request, _of_region(request, open_ones))


def _meant(request: RefusedRequest) -> list[Deployment]:
    """The deployments that the name of a request stands for, cooling or not."""
    resolve = getattr(request.router, _RESOLVES, None)
    if resolve is None:  # the router in Rust
        listed = request.router.registry().deployments
        return list(listed(request.model, source="routable", request=request.kwargs))
    asked = {
        "model": request.model,
        "request_kwargs": request.kwargs,
        "specific_deployment": request.specific,
    }
    _, found = resolve(**_accepted(resolve, asked))
    return [found] if isinstance(found, Mapping) else list(found)


def deployment_id(deployment: Deployment) -> str:
    """LiteLLM's id of a deployment."""
    return str(_info(deployment).get("id"))


def _request(frame: FrameType) -> RefusedRequest | None:
    code = frame.f_code
    # Before Python 3.13, reading `f_locals` restores variables that a function has removed from
    # its `locals()`.
    if code.co_varnames[:1] != ("self",) or "locals" in code.co_names:
        return None
    core = request_in_rust.core_of(frame)
    if core is not None:
        asked = request_in_rust.asked_for(frame.f_locals)
        by_tags = vars(sys.modules[_TAGS]) if _TAGS in sys.modules else {}
        return asked and RefusedRequest(core, *asked, by_tags, code.co_name, False, chooses=True)
    if "model" not in code.co_varnames:
        return None
    variables = frame.f_locals
    router, model = variables.get("self"), variables.get("model")
    if not isinstance(model, str) or not (hasattr(router, _RESOLVES) and hasattr(router, _CHOOSES)):
        return None
    chooses = "request_kwargs" in variables
    kwargs = variables.get("request_kwargs" if chooses else "kwargs")
    if kwargs is None and chooses:
        kwargs = {}
    if not isinstance(kwargs, Mapping):
        return None
    specific = bool(variables.get("specific_deployment"))
    return RefusedRequest(router, model, kwargs, frame.f_globals, code.co_name, specific, chooses)


def _of_region(request: RefusedRequest, deployments: list[Deployment]) -> list[Deployment]:
    """Those in the request's region, which LiteLLM looks at in its pre-call checks."""
    region = request.kwargs.get("allowed_model_region")
    if region is None or not _checks_before_call(request.router):
        return deployments
    return [each for each in deployments if _params(each).get("region_name") == region]


def _checks_before_call(router: Any) -> bool:
    for name in ("_core_enable_pre_call_checks", "enable_pre_call_checks"):
        if hasattr(router, name):
            return bool(getattr(router, name))
    return bool(router.settings().enable_pre_call_checks)  # the router in Rust


def _of_tags(request: RefusedRequest, deployments: list[Deployment]) -> list[Deployment]:
    """Those that tag routing would choose, then those that it would choose without the first."""
    choose = request.module.get("get_deployments_for_tag")
    if choose is None:
        return deployments
    kwargs = dict(request.kwargs)
    names = [each for each in _METADATA if isinstance(kwargs.get(each), Mapping)]
    kwargs.update({each: dict(kwargs[each]) for each in names})  # LiteLLM records the match there
    given = {
        "llm_router_instance": request.router,
        "ctx": getattr(request.router, "_core_ctx", None),
        "model": request.model,
        "request_kwargs": kwargs,
        "metadata_variable_name": next((each for each in _METADATA if each in kwargs), "metadata"),
        "request_deployments": deployments,
    }
    chosen: list[Deployment] = []
    left = deployments
    while left:
        arguments = _accepted(choose, {**given, "healthy_deployments": left})
        try:
            picked = {id(each) for each in _finished(choose(**arguments))}
        except ValueError:  # none of the rest has the request's tags
            break
        first = [each for each in left if id(each) in picked]
        if not first:
            break
        chosen += first
        left = [each for each in left if id(each) not in picked]
    return chosen


def _finished(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that awaits nothing.

    Raises:
        RuntimeError: it does await something.
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    coroutine.close()
    raise RuntimeError("the router's choice by tags waits for something")


def _accepted(function: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters
    return {name: value for name, value in arguments.items() if name in parameters}


def _info(deployment: Deployment) -> Mapping[str, Any]:
    return deployment.get("model_info") or {}


def _params(deployment: Deployment) -> Mapping[str, Any]:
    return deployment.get("litellm_params") or {}
