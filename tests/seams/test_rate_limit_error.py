"""What a new refusal is marked with, and what people's own code reads of it."""

from __future__ import annotations

import time
import types

import pytest

from litellm_patch.seams.refusal import fastest_response, rate_limit_error
from litellm_patch.seams.refusal.rate_limit_error import PutOnRefusal
from litellm_patch.seams.table import SEAMS
from litellm_patch.wait import marks
from litellm_patch.wait.cooling import Cooling
from litellm_patch.wait.exception_chain import COOLING

(SEAM,) = [seam for seam in SEAMS if isinstance(seam.joint, PutOnRefusal)]
NOW = 1000.0


@pytest.fixture
def place():
    """A module like LiteLLM's, with a refusal that no other test has."""

    class RouterRateLimitError(ValueError):
        def __init__(self, model, cooldown_time):
            self.model, self.cooldown_time = model, cooldown_time

    return types.SimpleNamespace(RouterRateLimitError=RouterRateLimitError)


@pytest.fixture
def cooling(monkeypatch):
    """Let the seam find this cooldown for the next refusals; what it was asked."""
    asked: list[tuple] = []
    found: list[Cooling | None] = [None]
    kept: list[BaseException] = []

    def find(refusal, question, frame):
        asked.append((refusal, question, frame))
        return found[0]

    monkeypatch.setattr(rate_limit_error, "cooling_of_refusal", find)
    monkeypatch.setattr(fastest_response, "keep", kept.append)
    monkeypatch.setattr(time, "monotonic", lambda: NOW)
    return types.SimpleNamespace(found=found, asked=asked, kept=kept)


def attach(place):
    return SEAM.joint.attach(place, SEAM, lambda: None)


def test_without_a_known_cooldown_the_configured_one_is_told(place, cooling):
    attach(place)
    refusal = place.RouterRateLimitError("m", 60)
    assert refusal.retry_after == 60
    assert marks.get(refusal, COOLING) is None
    assert cooling.kept == []
    assert [asked for asked, _, _ in cooling.asked] == [refusal]


@pytest.mark.parametrize(
    "ready_at, left", [(NOW + 12.5, 12.5), (NOW, 0.001), (NOW - 5, 0.001), (None, None)]
)
def test_what_is_left_of_a_cooldown_is_told(place, cooling, ready_at, left):
    attach(place)
    cooling.found[0] = found = Cooling(ready_at, "queue")
    refusal = place.RouterRateLimitError("m", cooldown_time=60)
    assert refusal.retry_after == left
    assert marks.get(refusal, COOLING) is found
    assert cooling.kept == [refusal]


def test_the_question_of_the_same_frame_belongs_to_the_refusal(place, cooling, monkeypatch):
    frame, taken = object(), []

    def take(arguments, of):
        taken.append((arguments["cooldown_time"], of))
        return "question"

    monkeypatch.setattr(rate_limit_error, "caller", lambda: frame)
    monkeypatch.setattr(rate_limit_error, "take_question", take)
    attach(place)
    refusal = place.RouterRateLimitError("m", 60)
    assert taken == [(60, frame)]
    assert cooling.asked == [(refusal, "question", frame)]


def test_the_body_of_an_answer_for_several_models_does_not_have_it(place, cooling):
    attach(place)
    cooling.found[0] = Cooling(NOW + 5, "queue")
    refusal = place.RouterRateLimitError("m", 60)
    shown = [name for name in vars(refusal) if not name.startswith("_sa")]
    assert shown == ["model", "cooldown_time"]


def test_a_refusal_from_before_the_patch_tells_nothing(place):
    refusal = place.RouterRateLimitError("m", 60)
    attach(place)
    assert refusal.retry_after is None


def test_on_the_class_the_attribute_is_itself(place):
    attach(place)
    attribute = place.RouterRateLimitError.retry_after
    assert attribute is vars(place.RouterRateLimitError)["retry_after"]


def test_it_goes_as_it_came(place, cooling):
    before = dict(vars(place.RouterRateLimitError))
    undo = attach(place)
    undo()
    after = dict(vars(place.RouterRateLimitError))
    assert after == before
    assert after["__init__"] is before["__init__"]
    place.RouterRateLimitError("m", 60)
    assert cooling.asked == []


def test_litellms_own_attribute_of_that_name_stays(place, cooling):
    place.RouterRateLimitError.retry_after = "theirs"
    undo = attach(place)
    assert place.RouterRateLimitError("m", 60).retry_after == "theirs"
    undo()
    assert place.RouterRateLimitError.retry_after == "theirs"


def test_an_attribute_that_somebody_sets_later_stays(place):
    undo = attach(place)
    place.RouterRateLimitError.retry_after = "theirs"
    undo()
    assert place.RouterRateLimitError.retry_after == "theirs"
