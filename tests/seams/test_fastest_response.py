"""Whether the fastest of several models failed because all of them are cooling."""

from __future__ import annotations

import time

import pytest

from litellm_patch.seams.refusal import fastest_response
from litellm_patch.wait import marks
from litellm_patch.wait.cooling import Cooling
from litellm_patch.wait.exception_chain import COOLING, FALLBACK_REFUSALS

NOW = 1000.0
FAILED = ("All tasks failed",)


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    fastest_response._last.clear()
    monkeypatch.setattr(time, "monotonic", lambda: NOW)
    yield
    fastest_response._last.clear()


def refuse(model, ready_in: float | None = 5.0):
    from litellm.types.router import RouterRateLimitError

    refusal = RouterRateLimitError(
        model=model, cooldown_time=60, enable_pre_call_checks=False, cooldown_list=[]
    )
    ready_at = None if ready_in is None else NOW + ready_in
    marks.put(refusal, COOLING, Cooling(ready_at, "queue"))
    fastest_response.keep(refusal)
    return refusal


def fastest_of(models, error=Exception, words=FAILED):
    """What LiteLLM raises in a function that has the models in a variable."""

    def fastest(models):
        gather()

    def gather():
        raise error(*words)

    try:
        fastest(models)
    except Exception as caught:
        return caught


def led_to(error) -> list:
    return marks.get(error, FALLBACK_REFUSALS)


@pytest.mark.parametrize("models", [["a"], ["a", "b"], ("b", "a")])
def test_the_error_leads_to_the_refusals_of_its_models(models):
    kept = {model: refuse(model) for model in ("a", "b", "c")}
    error = fastest_of(models)
    assert fastest_response.lead_to_refusals(error) is True
    assert [vars(each) for each in led_to(error)] == [vars(kept[model]) for model in models]
    assert [each.args for each in led_to(error)] == [kept[model].args for model in models]


def test_each_client_has_refusals_of_its_own():
    kept = refuse("a")
    found = []
    for _ in range(2):
        error = fastest_of(["a"])
        assert fastest_response.lead_to_refusals(error)
        found += led_to(error)
    assert len({id(each) for each in [kept, *fastest_response._last.values(), *found]}) == 4


@pytest.mark.parametrize(
    "models",
    [
        ["a", "unknown"],
        ["unknown"],
        ["a", "over"],
        ["over"],
        ["endless"],
        [],
        None,
        "a",  # no list
    ],
)
def test_a_model_that_is_not_cooling_may_have_asked_its_provider(models):
    refuse("a")
    refuse("over", 0.0)
    refuse("endless", None)
    error = fastest_of(models)
    assert fastest_response.lead_to_refusals(error) is False
    assert led_to(error) is None


@pytest.mark.parametrize(
    "error, words",
    [(Exception, ("something else",)), (Exception, ()), (ValueError, FAILED)],
)
def test_another_error_leads_nowhere(error, words):
    refuse("a")
    raised = fastest_of(["a"], error, words)
    assert fastest_response.lead_to_refusals(raised) is False
    assert led_to(raised) is None


def test_no_error_leads_nowhere():
    assert fastest_response.lead_to_refusals(None) is False


def test_an_error_that_was_not_raised_tells_no_models():
    refuse("a")
    assert fastest_response.lead_to_refusals(Exception(*FAILED)) is False


@pytest.mark.parametrize("mark", [None, object()])
def test_a_refusal_without_a_known_end_leads_nowhere(mark):
    marks.put(refuse("a"), COOLING, mark)
    marks.put(fastest_response._last["a"], COOLING, mark)
    assert fastest_response.lead_to_refusals(fastest_of(["a"])) is False


def test_the_last_refusal_of_a_model_counts():
    refuse("a", 0.0)
    refuse("a", 7.0)
    error = fastest_of(["a"])
    assert fastest_response.lead_to_refusals(error)
    assert marks.get(led_to(error)[0], COOLING).ready_at == NOW + 7


@pytest.mark.parametrize("model", [None, 7, ("a",)])
def test_what_is_no_name_of_a_model_is_not_kept(model):
    refuse(model)
    assert not fastest_response._last


def test_of_many_models_those_are_kept_that_refused_last():
    first = [f"model-{number}" for number in range(1000)]
    for model in first:
        refuse(model)
    refuse(first[0])
    refuse("another")
    kept = list(fastest_response._last)
    assert kept == [*first[2:], first[0], "another"]
