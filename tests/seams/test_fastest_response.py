"""Whether the request for the fastest of several models failed because all of them refused."""

from __future__ import annotations

import asyncio
import time
from asyncio import ensure_future
from collections import OrderedDict

import pytest
from litellm_errors import budget, limit, refusal

from litellm_patch.seams.refusal import fastest_response
from litellm_patch.wait import marks
from litellm_patch.wait.cooling import Cooling
from litellm_patch.wait.exception_chain import COOLING, FALLBACK_REFUSALS

NOW, CLOCK = 1000.0, 1_795_000_000.0
FAILED = Exception("All tasks failed")


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(fastest_response, "_last", OrderedDict())
    monkeypatch.setattr(time, "monotonic", lambda: NOW)
    monkeypatch.setattr(time, "time", lambda: CLOCK)


def refuse(model, ready_in: float | None = 5.0):
    error = refusal(model=model)
    marks.put(error, COOLING, Cooling(None if ready_in is None else NOW + ready_in, "queue"))
    fastest_response.keep(error)
    return error


def fastest_of(models, *ended, last=(), error=FAILED):
    """What LiteLLM raises in a function that has the models in a variable.

    Args:
        ended: the results of the tasks that ended last.
        last: the result of the task that was made last, which ended before.
    """

    async def result(value):
        return value

    async def fastest(models):
        done = {ensure_future(result(each)) for each in ended}
        for each in last:
            task = ensure_future(result(each))
            await task
        if done:
            await asyncio.wait(done)
        gather()

    def gather():
        raise type(error)(*error.args)

    with pytest.raises(type(error)) as caught:
        asyncio.run(fastest(models))
    return caught.value


def led_to(error):
    """The refusals that an error leads to; None if it leads nowhere."""
    leads = fastest_response.lead_to_refusals(error)
    found = marks.get(error, FALLBACK_REFUSALS)
    assert leads is (found is not None)
    return found


@pytest.mark.parametrize("models", [["a"], ["a", "b"], ["b", "a"]])
def test_the_error_leads_to_refusals_of_its_models_that_are_its_own(models):
    kept = {model: refuse(model) for model in ("a", "b", "c")}
    first, second = (led_to(fastest_of(models)) for _ in range(2))
    for found in (first, second):
        assert [vars(each) for each in found] == [vars(kept[model]) for model in models]
        assert [each.args for each in found] == [kept[model].args for model in models]
    each_one = [*kept.values(), *fastest_response._last.values(), *first, *second]
    assert len({id(each) for each in each_one}) == len(each_one)


@pytest.mark.parametrize(
    "models, ended",
    [
        (["a", "unknown"], []),
        (["a", "over"], []),
        (["endless"], []),
        (["unmarked"], []),
        ([], []),
        (None, []),
        (["a", "unknown"], [limit("a")]),
        # A model that did not refuse.
        (["a", "b"], [ValueError("the provider's")]),
        (["a", "b"], ["an answer"]),
        (["a", "b"], [None]),
        # A refusal that does not say its model may be that of any.
        (["a", "unknown"], [budget()]),
    ],
)
def test_a_model_that_is_not_cooling_may_have_asked_its_provider(models, ended):
    for model, ready_in in {"a": 5.0, "b": 5.0, "over": 0.0, "endless": None}.items():
        refuse(model, ready_in)
    refuse("unmarked")
    marks.put(fastest_response._last["unmarked"], COOLING, object())
    assert led_to(fastest_of(models, *ended)) is None


@pytest.mark.parametrize(
    "error", [Exception("something else"), Exception(), ValueError("All tasks failed")]
)
def test_another_error_leads_nowhere(error):
    refuse("a")
    assert led_to(fastest_of(["a"], error=error)) is None
    assert fastest_response.lead_to_refusals(FAILED) is False  # it was not raised
    assert fastest_response.lead_to_refusals(None) is False


@pytest.mark.parametrize("both", [[limit("a"), limit("b")], [budget(), budget()]])
def test_if_all_models_ended_last_their_own_errors_count(both):
    found = led_to(fastest_of(["a", "b"], *both))
    assert {id(each) for each in found} == {id(each) for each in both}


def test_the_task_that_was_started_last_is_known_even_if_it_ended_earlier():
    last = limit("b")
    refuse("a")
    found = led_to(fastest_of(["a", "b"], last=[last]))
    assert found[0] is last
    assert [each.model for each in found] == ["b", "a"]


@pytest.mark.parametrize("left, refuses", [(60, True), (0.5, True), (0, False), (-1, False)])
def test_a_spent_budget_refuses_its_models_until_its_window_ends(left, refuses):
    fastest_response.keep_budget(["a", "a", None], "the words", CLOCK + left)
    assert [*fastest_response._last] == ["a"]
    found = led_to(fastest_of(["a", "b"], limit("b")))
    assert (found is not None) is refuses
    assert not refuses or "crossed budget: the words" in str(found[1])


def test_the_last_refusal_of_a_model_counts():
    refuse("a", 0.0)
    refuse("a", 7.0)
    (found,) = led_to(fastest_of(["a"]))
    assert marks.get(found, COOLING).ready_at == NOW + 7


def test_the_thousand_models_that_refused_last_are_remembered():
    names = [f"model-{number}" for number in range(1000)]
    for model in [*names, names[0], "another", None, 7, ("a",)]:
        refuse(model)
    assert list(fastest_response._last) == [*names[2:], names[0], "another"]
