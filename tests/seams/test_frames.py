"""Reading a refused request from the stack, and asking the router again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from router_frames import CHOOSES, ROUTER, Router, below, function, nested, raised

from litellm_patch.seams.frames import caller
from litellm_patch.seams.refusal.refused_request import (
    RefusedRequest,
    candidates,
    deployment_id,
    pinned_to,
    request_below,
    request_that_raised,
)

KWARGS = {"metadata": {"tags": ["x"]}}
OTHER = function("then")


@pytest.mark.parametrize("specific, kwargs", [(False, None), (True, KWARGS)])
def test_a_function_that_chooses_has_the_request(specific, kwargs):
    router = Router()
    choose = function("self, model, specific_deployment, request_kwargs, then")
    request = nested((choose, router, "m", specific, kwargs), end=below)
    found = RefusedRequest(router, "m", kwargs or {}, choose.__globals__, "does", specific, True)
    assert request == found


@pytest.mark.parametrize(
    "calls",
    [
        [(function(CHOOSES), Router(), None, KWARGS)],
        [(function(CHOOSES), Router(), "m", "text")],
        [(function(CHOOSES), SimpleNamespace(_filter_cooldown_deployments=1), "m", KWARGS)],
        [(function(CHOOSES), SimpleNamespace(_common_checks_available_deployment=1), "m", KWARGS)],
        [(function("model, self, request_kwargs, then"), "m", Router(), KWARGS)],
        [(function("self, request_kwargs, then"), Router(), KWARGS)],
        [(function("self, model, kwargs, then"), Router(), "m", KWARGS)],  # it has chosen before
        # Its variables cannot be read without harm.
        [(function(CHOOSES, "locals(); return then()"), Router(), "m", KWARGS)],
        [(function(CHOOSES, module="own"), Router(), "m", {})],
        # The router called other code than LiteLLM's.
        [(function(CHOOSES), Router(), "m", {}), (function("then", module="own"),), (OTHER,)],
    ],
)
def test_other_functions_have_no_request(calls):
    assert nested(*calls, end=below) is None
    assert request_below(None) is None


def test_the_outermost_function_that_chooses_was_asked_for_the_name():
    router, chooses = Router(), function(CHOOSES)
    calls = [(OTHER,), (chooses, router, "alias", {}), (chooses, router, "m", {}), (OTHER,)]
    assert nested(*calls, end=below).model == "alias"
    another = (chooses, router, "of another request", {})
    assert nested(another, *calls, end=below).model == "alias"


def test_the_innermost_function_that_an_exception_came_through_has_the_request():
    router, chooses = Router(), function(CHOOSES)
    trace = raised((OTHER,), (chooses, router, "alias", {}), (chooses, router, "m", {}), (OTHER,))
    assert request_that_raised(trace).model == "m"
    has_chosen = function("self, model, kwargs, then")
    request = request_that_raised(raised((has_chosen, router, "m", KWARGS)))
    assert (request.kwargs, request.chooses) == (KWARGS, False)
    assert request_that_raised(raised((has_chosen, router, "m", None))) is None
    assert request_that_raised(raised((OTHER,))) is None
    assert request_that_raised(None) is None


def test_a_check_before_a_call_has_the_deployment_that_a_follow_up_is_bound_to():
    check, router = function("self, model_id, then"), Router()
    calls = [(check, SimpleNamespace(router=router), each) for each in ("first", "second")]
    assert pinned_to(raised(*calls, (OTHER,))) == (router, "second")


@pytest.mark.parametrize(
    "parameters, module, router, model_id",
    [
        ("self, model_id, then", "own.check", Router(), "a"),
        ("self, deployment, then", ROUTER, Router(), "a"),
        ("self, model_id, then", ROUTER, Router(), None),
        ("self, model_id, then", ROUTER, object(), "a"),
        ("check, model_id, then", ROUTER, Router(), "a"),
    ],
)
def test_other_functions_bind_to_no_deployment(parameters, module, router, model_id):
    check = function(parameters, module=module)
    assert pinned_to(raised((check, SimpleNamespace(router=router), model_id))) is None


def test_the_caller_is_litellm_below_ours_and_wrapts_functions():
    ours = function("then", module="litellm_patch.seams.after_call")
    wrapper = function("then", module="wrapt.wrappers")
    assert nested((OTHER,), end=caller).f_code is OTHER.__code__
    assert nested((OTHER,), (ours,), (wrapper,), (ours,), end=caller).f_code is OTHER.__code__
    assert nested((function("then", module="own"),), (ours,), end=caller) is None
    assert caller() is None


def deployment(name: str, **info: object) -> dict[str, Any]:
    params = {"region_name": "eu"} if "eu" in name else {}
    return {"litellm_params": params, "model_info": {"id": name, **info}}


def router_of(*names: str, **attributes: object) -> Router:
    router = Router(*(deployment(each) for each in names))
    vars(router).update(attributes)
    return router


def request(router: Router, kwargs: Any = None, **more: Any) -> RefusedRequest:
    given = {"module": {}, "function": "get_available_deployment", "specific": False, **more}
    return RefusedRequest(router, "m", kwargs or {}, chooses=True, **given)


def ids(of: RefusedRequest) -> list[str]:
    return [deployment_id(each) for each in candidates(of)]


@pytest.mark.parametrize("specific", [False, True])
def test_the_router_is_asked_as_the_request_asked_it(specific):
    router = router_of("a", "b")
    assert ids(request(router, KWARGS, specific=specific)) == ["a", "b"]
    assert router.asked == [("m", KWARGS, specific)]
    router.deployments = deployment("a")  # LiteLLM's answer to a specific deployment
    assert ids(request(router)) == ["a"]


@pytest.mark.parametrize("name", ["filter_team_based_models", "filter_web_search_deployments"])
def test_the_filters_of_the_routers_module_rule_deployments_out(name):
    def rule_out(healthy_deployments, request_kwargs):
        assert request_kwargs == KWARGS
        return healthy_deployments[1:]

    assert ids(request(router_of("a", "b"), KWARGS, module={name: rule_out})) == ["b"]


def test_pass_through_and_paused_deployments_are_told_apart():
    name = "get_available_deployment_for_pass_through"
    assert ids(request(router_of("a", "pass"), function=name)) == ["pass"]
    paused = [deployment("a", blocked=True), deployment("b", blocked=False), deployment("c")]
    assert ids(request(Router(*paused))) == ["b", "c"]


@pytest.mark.parametrize(
    "attributes, checks",
    [
        ({}, False),
        ({"enable_pre_call_checks": True}, True),
        ({"enable_pre_call_checks": True, "_core_enable_pre_call_checks": False}, False),
        ({"_core_enable_pre_call_checks": True}, True),
    ],
)
def test_a_region_rules_out_where_the_router_checks_before_calls(attributes, checks):
    router = router_of("eu", "us", **attributes)
    router.deployments += [{"model_info": {"id": "a"}}, {"litellm_params": None}]
    every = ["eu", "us", "a", "None"]
    assert ids(request(router, {"allowed_model_region": "eu"})) == (["eu"] if checks else every)
    assert ids(request(router)) == every


class Tags:
    """LiteLLM's choice by tags, which picks what `picks` says, one after the other."""

    def __init__(self, *picks: str) -> None:
        self.picks, self.given = list(picks), []

    def of(self, router: Router, kwargs: Any = None) -> list[str]:
        """The candidates of a request."""
        return ids(request(router, kwargs, module={"get_deployments_for_tag": self.choose}))

    async def choose(
        self,
        llm_router_instance,
        ctx,
        model,
        request_kwargs,
        healthy_deployments,
        metadata_variable_name,
        request_deployments,
    ):
        left, of = (
            [deployment_id(each) for each in deployments]
            for deployments in (healthy_deployments, request_deployments)
        )
        self.given.append((llm_router_instance, ctx, model, metadata_variable_name, of, left))
        request_kwargs.get(metadata_variable_name, {})["matched"] = True
        if len(self.given) > 9:
            pytest.fail("it is asked for ever")
        if not self.picks:
            raise ValueError("Not allowed to access model due to tags configuration")
        picked = self.picks.pop(0)
        return [each for each in healthy_deployments if deployment_id(each) in picked]


@pytest.mark.parametrize(
    "picks, left",
    [
        ([], []),
        (["a"], ["a"]),
        (["a", "bc"], ["a", "b", "c"]),
        (["c", "", "a"], ["c"]),
        (["abc"], ["a", "b", "c"]),
    ],
)
def test_each_deployment_that_tags_would_choose_in_turn_is_a_candidate(picks, left):
    assert Tags(*picks).of(router_of(*"abc")) == left


def test_the_choice_by_tags_is_given_what_the_router_gives_it():
    tags, router, ctx, both = Tags("a"), router_of("a", "b"), object(), ["a", "b"]
    router._core_ctx = ctx
    kwargs = {"metadata": {"tags": ["x"]}}
    tags.of(router, kwargs)
    given = (router, ctx, "m", "metadata", both)
    assert tags.given == [(*given, both), (*given, ["b"])]
    assert kwargs == {"metadata": {"tags": ["x"]}}  # nothing is noted in the request


def test_the_first_metadata_that_is_there_counts_and_a_release_may_have_no_context():
    tags, router = Tags(), router_of("a")
    tags.of(router, {"litellm_metadata": {}, "metadata": {}})
    tags.of(router, {})
    given = [(ctx, name) for _, ctx, _, name, _, _ in tags.given]
    assert given == [(None, "litellm_metadata"), (None, "metadata")]
