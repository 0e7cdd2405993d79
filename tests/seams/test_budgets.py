"""Which of the budgets that a deployment is under decides when it is open again."""

from __future__ import annotations

from collections import OrderedDict
from types import SimpleNamespace

import pytest

from litellm_patch.seams.refusal import spent_budget
from litellm_patch.seams.refusal.spent_budget import remember_end

TOLD = "Exceeded budget for provider openai: 2.0 >= 1.0\n"


@pytest.fixture
def ends(monkeypatch):
    """What is remembered: by the text of the refusal, the end that it waits for."""
    remembered: OrderedDict[str, float] = OrderedDict()
    monkeypatch.setattr(spent_budget, "_ends", remembered)
    return remembered


def budget(limit: object) -> SimpleNamespace:
    return SimpleNamespace(budget_duration="1d", max_budget=limit)


def refuse(
    *deployments: str,
    spent: dict[str, float],
    expiries: dict[str, object],
    limit: object = 1.0,
    tags: tuple[str, ...] = (),
    allowed: tuple[str, ...] = (),
) -> None:
    """LiteLLM filters deployments by budgets, all of `limit`.

    Args:
        deployments: ids; the provider of a deployment is the first letter of its id.
        spent: by "kind:name" of the budget; each that is named here exists.
        expiries: `time.time()` at which LiteLLM forgets what was spent.
    """

    def configs(kind):
        return {name.split(":")[1]: budget(limit) for name in spent if name.startswith(kind)}

    def keys(numbers):
        return {f"{name.replace(':', '_spend:')}:1d": number for name, number in numbers.items()}

    limiter = SimpleNamespace(
        dual_cache=SimpleNamespace(in_memory_cache=SimpleNamespace(ttl_dict=keys(expiries))),
        tag_budget_config=configs("tag") or None,
        _get_llm_provider_for_deployment=lambda deployment: deployment["model_info"]["id"][0],
    )
    arguments = {
        "healthy_deployments": [{"model_info": {"id": each}} for each in deployments],
        "provider_configs": configs("provider"),
        "deployment_configs": configs("deployment"),
        "spend_map": keys({name: value for name, value in spent.items() if value is not None}),
        "request_tags": list(tags),
    }
    remember_end(limiter, arguments, ([*allowed], TOLD))


@pytest.mark.parametrize(
    "name, tags", [("provider:a", ()), ("deployment:a1", ()), ("tag:paid", ("free", "paid"))]
)
def test_a_spent_budget_ends_with_its_window(ends, name, tags):
    refuse("a1", spent={name: 2.0}, expiries={name: 50.0}, tags=tags)
    assert ends == {TOLD: 50.0}


@pytest.mark.parametrize("provider, deployment", [(50.0, 70.0), (70.0, 50.0)])
def test_a_deployment_under_two_spent_budgets_waits_for_the_later_one(ends, provider, deployment):
    spent = {"provider:a": 2.0, "deployment:a1": 2.0}
    refuse("a1", spent=spent, expiries={"provider:a": provider, "deployment:a1": deployment})
    assert ends == {TOLD: 70.0}


def test_a_budget_that_is_not_spent_is_waited_for_by_nobody(ends):
    spent = {"provider:a": 2.0, "deployment:a1": 0.9}
    refuse("a1", spent=spent, expiries={"provider:a": 50.0, "deployment:a1": 70.0})
    assert ends == {TOLD: 50.0}


def test_a_budget_is_spent_when_it_is_reached(ends):
    refuse("a1", spent={"provider:a": 1.0}, expiries={"provider:a": 50.0})
    assert ends == {TOLD: 50.0}


def test_a_budget_of_which_litellm_counted_nothing_is_not_spent(ends):
    spent = {"provider:a": 2.0, "deployment:a1": None}
    refuse("a1", spent=spent, expiries={"provider:a": 50.0, "deployment:a1": 70.0})
    assert ends == {TOLD: 50.0}


@pytest.mark.parametrize("limit", [None, 0])
def test_a_budget_without_a_limit_refuses_nobody(ends, limit):
    refuse("a1", spent={"provider:a": 2.0}, expiries={"provider:a": 50.0}, limit=limit)
    assert ends == {}


def test_the_first_deployment_that_is_open_again_decides(ends):
    spent = {"provider:a": 2.0, "provider:b": 2.0}
    refuse("a1", "b1", spent=spent, expiries={"provider:a": 70.0, "provider:b": 50.0})
    assert ends == {TOLD: 50.0}


def test_one_unknown_window_leaves_the_end_of_a_deployment_unknown(ends):
    refuse("a1", spent={"provider:a": 2.0, "deployment:a1": 2.0}, expiries={"provider:a": 50.0})
    assert ends == {}


def test_where_a_deployment_is_left_nothing_is_remembered(ends):
    spent, expiries = {"provider:a": 2.0}, {"provider:a": 50.0}
    refuse("a1", "b1", spent=spent, expiries=expiries, allowed=("b1",))
    assert ends == {}


def test_a_deployment_without_an_id_is_under_its_providers_budget_only(ends):
    limiter = SimpleNamespace(
        dual_cache=SimpleNamespace(
            in_memory_cache=SimpleNamespace(ttl_dict={"provider_spend:a:1d": 50.0})
        ),
        tag_budget_config=None,
        _get_llm_provider_for_deployment=lambda deployment: "a",
    )
    arguments = {
        "healthy_deployments": [{"litellm_params": {}}],
        "provider_configs": {"a": budget(1.0)},
        "deployment_configs": None,
        "spend_map": {"provider_spend:a:1d": 2.0},
        "request_tags": [],
    }
    remember_end(limiter, arguments, ([], TOLD))
    assert ends == {TOLD: 50.0}
