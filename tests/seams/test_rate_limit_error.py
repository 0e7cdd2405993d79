"""The marks on a new refusal, and the attribute that users' own code reads."""

from __future__ import annotations

import time
import types
from unittest.mock import Mock

import pytest

from litellm_patch.seams.refusal import fastest_response, rate_limit_error
from litellm_patch.seams.refusal.rate_limit_error import PutOnRefusal
from litellm_patch.seams.table import SEAMS
from litellm_patch.wait import marks
from litellm_patch.wait.cooling import Cooling
from litellm_patch.wait.exception_chain import COOLING

(SEAM,) = [seam for seam in SEAMS if isinstance(seam.joint, PutOnRefusal)]
NOW = 1000.0
FRAME = object()


@pytest.fixture
def place():
    """A module like LiteLLM's, with a refusal that no other test has."""

    class RouterRateLimitError(ValueError):
        def __init__(self, model, cooldown_time):
            self.model, self.cooldown_time = model, cooldown_time

    return types.SimpleNamespace(RouterRateLimitError=RouterRateLimitError)


@pytest.fixture
def cooling(monkeypatch):
    """What is found for a refusal, by its question in the same frame; and which were kept."""
    find = Mock(return_value=None)
    replaced = {
        "caller": lambda: FRAME,
        "take_question": lambda arguments, frame: (arguments["cooldown_time"], frame),
        "cooling_of_refusal": find,
    }
    for name, value in replaced.items():
        monkeypatch.setattr(rate_limit_error, name, value)
    monkeypatch.setattr(fastest_response, "keep", find.kept)
    monkeypatch.setattr(time, "monotonic", lambda: NOW)
    return find


def attach(place):
    return SEAM.joint.attach(place, SEAM, lambda: None)


def test_without_a_known_cooldown_the_configured_one_is_told(place, cooling):
    attach(place)
    refusal = place.RouterRateLimitError("m", 60)
    assert refusal.retry_after == 60
    assert marks.get(refusal, COOLING) is None
    cooling.assert_called_once_with(refusal, (60, FRAME), FRAME)
    cooling.kept.assert_not_called()


@pytest.mark.parametrize(
    "ready_at, left", [(NOW + 12.5, 12.5), (NOW, 0.001), (NOW - 5, 0.001), (None, None)]
)
def test_the_rest_of_a_cooldown_is_told(place, cooling, ready_at, left):
    attach(place)
    cooling.return_value = Cooling(ready_at, "queue")
    refusal = place.RouterRateLimitError("m", cooldown_time=60)
    assert refusal.retry_after == left
    assert marks.get(refusal, COOLING) is cooling.return_value
    cooling.kept.assert_called_once_with(refusal)


def test_undo_restores_the_class(place, cooling):
    earlier = place.RouterRateLimitError("m", 60)
    before = dict(vars(place.RouterRateLimitError))
    undo = attach(place)
    assert earlier.retry_after is None
    assert place.RouterRateLimitError.retry_after.__get__(None) is not None
    undo()
    after = dict(vars(place.RouterRateLimitError))
    assert after == before
    assert after["__init__"] is before["__init__"]


@pytest.mark.parametrize("earlier", [True, False])
def test_somebody_elses_attribute_of_that_name_stays(place, cooling, earlier):
    undo = None if earlier else attach(place)
    place.RouterRateLimitError.retry_after = "theirs"
    undo = undo or attach(place)
    assert place.RouterRateLimitError("m", 60).retry_after == "theirs"
    undo()
    assert place.RouterRateLimitError.retry_after == "theirs"
