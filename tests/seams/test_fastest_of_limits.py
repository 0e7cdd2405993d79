"""The fastest of several models, of which some refuse for a limit or a budget."""

from __future__ import annotations

import asyncio
import time

import pytest

from litellm_patch.seams.refusal import fastest_response
from litellm_patch.wait import marks
from litellm_patch.wait.cooling import Cooling
from litellm_patch.wait.exception_chain import COOLING, FALLBACK_REFUSALS

CLOCK = 1_795_000_000.0
SPENT = "No deployments available - crossed budget: x"


@pytest.fixture(autouse=True)
def nothing_kept():
    fastest_response._last.clear()
    yield
    fastest_response._last.clear()


def limited(model):
    from litellm.exceptions import RateLimitError

    return RateLimitError("No deployments available.", llm_provider="", model=model)


def cool(model):
    from litellm.types.router import RouterRateLimitError

    refusal = RouterRateLimitError(
        model=model, cooldown_time=60, enable_pre_call_checks=False, cooldown_list=[]
    )
    marks.put(refusal, COOLING, Cooling(time.monotonic() + 60, model))
    fastest_response.keep(refusal)


def fastest_of(models, *ended, last=()):
    """What LiteLLM raises when the tasks of some models ended last, with these results."""

    async def result(value):
        return value

    async def fastest(models):
        done = {asyncio.ensure_future(result(each)) for each in ended}
        for each in last:
            task = asyncio.ensure_future(result(each))
            await task
        if done:
            await asyncio.wait(done)
        raise Exception("All tasks failed")

    with pytest.raises(Exception, match="All tasks failed") as caught:
        asyncio.run(fastest(models))
    return caught.value


def led_to(error):
    return marks.get(error, FALLBACK_REFUSALS) if fastest_response.lead_to_refusals(error) else None


def test_where_all_ended_last_nothing_need_be_remembered():
    both = [limited("a"), limited("b")]
    found = led_to(fastest_of(["a", "b"], *both))
    assert found is not None
    assert {id(each) for each in found} == {id(each) for each in both}


def test_where_all_ended_last_they_need_not_say_of_which_model_they_are():
    both = [ValueError(SPENT), ValueError(SPENT)]
    found = led_to(fastest_of(["a", "b"], *both))
    assert found is not None
    assert {id(each) for each in found} == {id(each) for each in both}


def test_the_task_that_was_made_last_is_known_also_if_it_ended_before():
    limit = limited("b")
    cool("a")
    found = led_to(fastest_of(["a", "b"], last=[limit]))
    assert found is not None
    assert found[0] is limit
    assert [each.model for each in found] == ["b", "a"]


def test_a_model_of_which_nothing_is_known_may_have_asked_its_provider():
    assert led_to(fastest_of(["a", "b"], limited("b"))) is None


@pytest.mark.parametrize("own", [ValueError("the provider's"), "an answer", None])
def test_a_model_that_did_not_refuse_leaves_litellms_answer(own):
    cool("a")
    cool("b")
    assert led_to(fastest_of(["a", "b"], own)) is None


@pytest.mark.parametrize("left, refuses", [(60, True), (0.5, True), (0, False), (-1, False)])
def test_a_spent_budget_refuses_its_models_until_its_window_ends(left, refuses, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: CLOCK)
    fastest_response.keep_budget(["a", "a", None], "what is spent", CLOCK + left)
    assert [*fastest_response._last] == ["a"]
    found = led_to(fastest_of(["a", "b"], limited("b")))
    assert (found is not None) is refuses
    assert not refuses or "crossed budget: what is spent" in str(found[1])


def test_a_refusal_that_does_not_say_its_model_may_be_that_of_any():
    spent = ValueError(SPENT)
    cool("a")
    assert led_to(fastest_of(["a", "b"], spent)) is None
    fastest_response.keep_budget(["b"], "x", time.time() + 60)
    assert led_to(fastest_of(["a", "b"], spent)) is not None
