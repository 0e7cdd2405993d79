"""What is read from the stack of a router that refuses, and what the router is asked again."""

from __future__ import annotations

import _thread
import queue
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


@pytest.mark.parametrize("specific", [False, True])
def test_a_function_that_chooses_has_the_request(specific):
    router = Router()
    choose = function("self, model, specific_deployment, request_kwargs, then")
    request = nested((choose, router, "m", specific, KWARGS), end=below)
    assert (request.router, request.model, request.kwargs) == (router, "m", KWARGS)
    assert (request.function, request.specific, request.chooses) == ("does", specific, True)
    assert request.module["__name__"] == ROUTER


def test_a_request_without_arguments_is_one():
    assert nested((function(CHOOSES), Router(), "m", None), end=below).kwargs == {}


@pytest.mark.parametrize(
    "parameters, given",
    [
        (CHOOSES, [Router(), None, KWARGS]),
        (CHOOSES, [Router(), "m", "text"]),
        (CHOOSES, [SimpleNamespace(_filter_cooldown_deployments=1), "m", KWARGS]),
        (CHOOSES, [SimpleNamespace(_common_checks_available_deployment=1), "m", KWARGS]),
        ("model, self, request_kwargs, then", ["m", Router(), KWARGS]),
        ("self, request_kwargs, then", [Router(), KWARGS]),
        ("self, model, kwargs, then", [Router(), "m", KWARGS]),  # it has chosen before
    ],
)
def test_what_is_no_choice_of_a_router_is_no_request(parameters, given):
    assert nested((function(parameters), *given), end=below) is None


def test_a_function_that_looks_at_its_own_locals_is_not_read():
    looks = function(CHOOSES, "locals(); return then()")
    assert nested((looks, Router(), "m", KWARGS), end=below) is None


def test_the_outermost_function_that_chooses_was_asked_for_the_name():
    router, chooses, other = Router(), function(CHOOSES), function("then")
    calls = [(other,), (chooses, router, "alias", {}), (chooses, router, "m", {}), (other,)]
    assert nested(*calls, end=below).model == "alias"
    another = (chooses, router, "of another request", {})
    assert nested(another, *calls, end=below).model == "alias"


def test_a_router_behind_code_that_is_not_litellms_did_not_refuse():
    choice = (function(CHOOSES), Router(), "m", {})
    own, other = function("then", module="own"), function("then")
    assert nested(choice, (own,), (other,), end=below) is None
    assert nested((function(CHOOSES, module="own"), Router(), "m", {}), end=below) is None
    assert request_below(None) is None


def test_the_innermost_function_that_an_exception_came_through_has_the_request():
    router, chooses, other = Router(), function(CHOOSES), function("then")
    trace = raised((other,), (chooses, router, "alias", {}), (chooses, router, "m", {}), (other,))
    assert request_that_raised(trace).model == "m"
    has_chosen = function("self, model, kwargs, then")
    request = request_that_raised(raised((has_chosen, router, "m", KWARGS)))
    assert (request.kwargs, request.chooses) == (KWARGS, False)
    assert request_that_raised(raised((has_chosen, router, "m", None))) is None
    assert request_that_raised(raised((other,))) is None
    assert request_that_raised(None) is None


def test_a_check_before_a_call_has_the_deployment_that_a_follow_up_is_bound_to():
    check, router = function("self, model_id, then"), Router()
    calls = [(check, SimpleNamespace(router=router), each) for each in ("first", "second")]
    assert pinned_to(raised(*calls, (function("then"),))) == (router, "second")


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
def test_what_is_no_check_of_litellms_binds_to_nothing(parameters, module, router, model_id):
    check = function(parameters, module=module)
    assert pinned_to(raised((check, SimpleNamespace(router=router), model_id))) is None


def test_the_caller_is_litellm_below_ours_and_wrapts_functions():
    refuses, ours = function("then"), function("then", module="litellm_patch.seams.after_call")
    wrapper = function("then", module="wrapt.wrappers")
    assert nested((refuses,), end=caller).f_code is refuses.__code__
    found = nested((refuses,), (ours,), (wrapper,), (ours,), end=caller)
    assert found.f_code is refuses.__code__
    assert nested((function("then", module="own"),), (ours,), end=caller) is None


def test_a_thread_of_ours_has_no_caller():
    found: queue.Queue[object] = queue.Queue()
    ours = function("put, then", "put(then())", module="litellm_patch.seams.record.shared_expiry")
    _thread.start_new_thread(ours, (found.put, caller))
    assert found.get(timeout=30) is None


def deployment(name: str, **info: object) -> dict[str, Any]:
    params = {"region_name": "eu"} if "eu" in name else {}
    return {"litellm_params": params, "model_info": {"id": name, **info}}


def request(router: Router, kwargs: Any = None, **more: Any) -> RefusedRequest:
    given = {"module": {}, "function": "get_available_deployment", "specific": False, **more}
    return RefusedRequest(router, "m", kwargs or {}, chooses=True, **given)


def ids(of: RefusedRequest) -> list[str]:
    return [deployment_id(each) for each in candidates(of)]


@pytest.mark.parametrize("specific", [False, True])
def test_the_router_is_asked_as_the_request_asked_it(specific):
    router = Router(deployment("a"), deployment("b"))
    assert ids(request(router, KWARGS, specific=specific)) == ["a", "b"]
    assert router.asked == [("m", KWARGS, specific)]


def test_a_release_whose_router_takes_less_is_asked_with_less():
    router = Router()
    router._common_checks_available_deployment = lambda model: (model, [deployment(model)])
    assert ids(request(router)) == ["m"]


def test_a_certain_deployment_is_one_candidate():
    router = Router()
    router.deployments = deployment("a")
    assert ids(request(router)) == ["a"]


@pytest.mark.parametrize("name", ["filter_team_based_models", "filter_web_search_deployments"])
def test_what_the_routers_module_rules_out_is_no_candidate(name):
    def rule_out(healthy_deployments, request_kwargs):
        assert request_kwargs == KWARGS
        return healthy_deployments[1:]

    router = Router(deployment("a"), deployment("b"))
    assert ids(request(router, KWARGS, module={name: rule_out})) == ["b"]


def test_a_pass_through_takes_what_is_meant_for_it():
    router = Router(deployment("a"), deployment("pass"))
    name = "get_available_deployment_for_pass_through"
    assert ids(request(router, function=name)) == ["pass"]


def test_a_paused_deployment_is_no_candidate():
    paused = [deployment("a", blocked=True), deployment("b", blocked=False), deployment("c")]
    assert ids(request(Router(*paused))) == ["b", "c"]


@pytest.mark.parametrize(
    "attributes, left",
    [
        ({}, ["eu", "us"]),
        ({"enable_pre_call_checks": True}, ["eu"]),
        ({"enable_pre_call_checks": True, "_core_enable_pre_call_checks": False}, ["eu", "us"]),
        ({"_core_enable_pre_call_checks": True}, ["eu"]),
    ],
)
def test_a_region_rules_out_where_the_router_checks_before_calls(attributes, left):
    router = Router(deployment("eu"), deployment("us"))
    vars(router).update(attributes)
    assert ids(request(router, {"allowed_model_region": "eu"})) == left
    assert ids(request(router)) == ["eu", "us"]


def test_a_router_that_knows_no_such_checks_makes_none(monkeypatch):
    monkeypatch.delattr(Router, "enable_pre_call_checks")
    settings = SimpleNamespace(enable_pre_call_checks=False)
    monkeypatch.setattr(Router, "settings", lambda self: settings, raising=False)
    assert ids(request(Router(deployment("us")), {"allowed_model_region": "eu"})) == ["us"]


def test_a_deployment_that_says_nothing_of_itself_is_in_no_region():
    router = Router(deployment("eu"), {"model_info": {"id": "a"}}, {"litellm_params": None})
    router.enable_pre_call_checks = True
    assert ids(request(router, {"allowed_model_region": "eu"})) == ["eu"]
    assert ids(request(router)) == ["eu", "a", "None"]


class Tags:
    """LiteLLM's choice by tags, which picks what `picks` says, one after the other."""

    def __init__(self, *picks: str) -> None:
        self.picks, self.given = list(picks), []

    def function(self) -> Any:
        async def choose(
            llm_router_instance,
            ctx,
            model,
            request_kwargs,
            healthy_deployments,
            metadata_variable_name,
            request_deployments,
        ):
            self.given.append(
                {
                    "router": llm_router_instance,
                    "ctx": ctx,
                    "model": model,
                    "left": [deployment_id(each) for each in healthy_deployments],
                    "metadata": metadata_variable_name,
                    "of": [deployment_id(each) for each in request_deployments],
                }
            )
            request_kwargs.get(metadata_variable_name, {})["matched"] = True
            if len(self.given) > 9:
                pytest.fail("it is asked for ever")
            if not self.picks:
                raise ValueError("Not allowed to access model due to tags configuration")
            picked = self.picks.pop(0)
            return [each for each in healthy_deployments if deployment_id(each) in picked]

        return choose


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
def test_what_tags_would_choose_one_after_the_other_are_the_candidates(picks, left):
    tags, router = Tags(*picks), Router(*(deployment(each) for each in "abc"))
    assert ids(request(router, module={"get_deployments_for_tag": tags.function()})) == left


def test_the_choice_by_tags_is_given_what_the_router_gives_it():
    tags, router = Tags("a"), Router(deployment("a"), deployment("b"))
    router._core_ctx = object()
    kwargs = {"metadata": {"tags": ["x"]}}
    candidates(request(router, kwargs, module={"get_deployments_for_tag": tags.function()}))
    given = {"router": router, "ctx": router._core_ctx, "model": "m", "metadata": "metadata"}
    given["of"] = ["a", "b"]
    assert tags.given == [{**given, "left": ["a", "b"]}, {**given, "left": ["b"]}]
    assert kwargs == {"metadata": {"tags": ["x"]}}  # nothing is noted in the request


def test_a_router_says_where_the_metadata_is():
    tags, router = Tags(), Router(deployment("a"))
    router._get_metadata_variable_name_from_kwargs = lambda kwargs: (
        "litellm_metadata" if "litellm_metadata" in kwargs else "metadata"
    )
    module = {"get_deployments_for_tag": tags.function()}
    candidates(request(router, {"litellm_metadata": {}}, module=module))
    candidates(request(router, {}, module=module))
    assert [each["metadata"] for each in tags.given] == ["litellm_metadata", "metadata"]


def test_a_release_without_a_context_is_given_none():
    tags = Tags()
    module = {"get_deployments_for_tag": tags.function()}
    candidates(request(Router(deployment("a")), module=module))
    assert tags.given[0]["ctx"] is None
