"""Reading a refused request from the Python functions that answer a router in Rust."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from router_frames import CHOOSES, Router, below, function, nested

from litellm_patch.seams.refusal.refused_request import RefusedRequest, candidates, deployment_id

TAGS = "litellm.router_strategy.tag_based_routing"
KWARGS = {"metadata": {"tags": ["x"]}}
ANSWERS, OF_A_CALL = function("self, step, request, then"), function("self, step, then")
STEP = {"stage": "strategy", "model": "m"}


class Core:
    """As much of the Python side of LiteLLM's router in Rust as is looked at."""

    def __init__(self, *deployments: str, checks: bool = False) -> None:
        self.listed = [
            {"litellm_params": {"region_name": each}, "model_info": {"id": each}}
            for each in deployments
        ]
        self.checks, self.asked = checks, []

    def _answer_select(self): ...

    def registry(self):
        return self

    def deployments(self, model, *, source, request):
        self.asked.append((model, source, request))
        return iter(self.listed)

    def settings(self):
        return SimpleNamespace(enable_pre_call_checks=self.checks)


@pytest.fixture(autouse=True)
def chooses_by_no_tags(monkeypatch):
    monkeypatch.delitem(sys.modules, TAGS, raising=False)


def call(core: object, request: object = KWARGS) -> SimpleNamespace:
    """A call, or a choice without a call: it has the router and the request."""
    return SimpleNamespace(_core=core, _request=request)


def ids(*calls: object) -> list[str]:
    return [deployment_id(each) for each in candidates(nested(calls, end=below))]


def test_the_step_has_the_name_and_the_function_or_its_call_the_request():
    core = Core()
    found = RefusedRequest(core, "m", KWARGS, {}, "does", specific=False, chooses=True)
    for answers in (
        (ANSWERS, core, STEP, KWARGS),
        (OF_A_CALL, call(core), STEP),
        (ANSWERS, call(core, None), STEP, KWARGS),
        (ANSWERS, call(core), STEP, None),
    ):
        assert nested(answers, end=below) == found


@pytest.mark.parametrize("step", [{"stage": "failed"}, {"model": None}, None])
def test_where_the_step_has_no_name_the_function_has_it(step):
    fails = function("self, step, model, request, then")
    assert nested((fails, Core(), step, "m", KWARGS), end=below).model == "m"
    assert nested((fails, Core(), STEP, "another", KWARGS), end=below).model == "m"


@pytest.mark.parametrize(
    "answers, given",
    [
        (ANSWERS, [Core(), {}, KWARGS]),  # no name
        (ANSWERS, [Core(), STEP, "text"]),
        (OF_A_CALL, [call(Core(), None), STEP]),
        (ANSWERS, [SimpleNamespace(_answer_select=1), STEP, KWARGS]),
        (ANSWERS, [call(SimpleNamespace(_answer_select=1)), STEP, KWARGS]),
        (ANSWERS, [None, STEP, KWARGS]),
        (function("self, model, request, then"), [Core(), "m", KWARGS]),  # no step
        (function("step, self, request, then"), [STEP, Core(), KWARGS]),
    ],
)
def test_functions_that_answer_no_step_have_no_request(answers, given):
    assert nested((answers, *given), end=below) is None


def test_a_router_in_python_may_have_a_step():
    router = Router()
    request = nested((function(f"{CHOOSES}, step=1"), router, "m", KWARGS), end=below)
    assert request.router is router


@pytest.mark.parametrize("checks, left", [(True, ["eu"]), (False, ["eu", "us"])])
def test_the_routers_registry_lists_the_deployments_and_a_region_may_rule_out(checks, left):
    core, kwargs = Core("eu", "us", checks=checks), {"allowed_model_region": "eu"}
    assert ids(ANSWERS, core, STEP, kwargs) == left
    assert core.asked == [("m", "routable", kwargs)]


def test_the_choice_by_tags_is_that_of_the_module_if_it_is_loaded(monkeypatch):
    async def choose(healthy_deployments):
        if len(healthy_deployments) < 2:
            raise ValueError("Not allowed to access model due to tags configuration")
        return healthy_deployments[1:]

    monkeypatch.setitem(sys.modules, TAGS, SimpleNamespace(get_deployments_for_tag=choose))
    assert ids(ANSWERS, Core("a", "b"), STEP, KWARGS) == ["b"]
