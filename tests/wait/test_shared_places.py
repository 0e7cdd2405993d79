"""What a client is told where all proxies have one queue, and where that does not answer."""

from __future__ import annotations

import pytest

from litellm_patch.wait import marks
from litellm_patch.wait.cooling import Cooling
from litellm_patch.wait.exception_chain import COOLING
from litellm_patch.wait.known_rate import KnownRate
from litellm_patch.wait.pacing import Pacer
from litellm_patch.wait.shared_pacing import Waiting
from litellm_patch.wait.shared_part import SharedPlace
from litellm_patch.wait.tell import Teller

NOW = 1000.0


class RouterRateLimitError(ValueError):
    __module__ = "litellm.types.router"
    cooldown_time = 60.0


def told(teller: Teller, place: float | None, asked: list[Waiting] | None = None) -> float | None:
    """Seconds, of a client whose group is ready in 10 s."""

    def shared_place(waiting: Waiting) -> SharedPlace | None:
        if asked is not None:
            asked.append(waiting)
        return None if place is None else SharedPlace(place, 1, 1, 1.0)

    error = RouterRateLimitError("No deployments available for selected model")
    marks.put(error, COOLING, Cooling(NOW + 10, "a|b", 30.0, shared_place=shared_place))
    answer = teller.tell(error, str(error), {}, now=NOW, clock=1e9)
    assert answer is not None
    teller.tell(error, str(error), {}, now=NOW + 0.1, clock=1e9)  # made into an answer once more
    return answer.seconds


def test_the_queue_of_all_proxies_is_asked_once_for_a_refusal():
    asked: list[Waiting] = []
    assert told(Teller(Pacer(rate=3)), NOW + 17, asked) == pytest.approx(17)
    assert asked == [Waiting(NOW + 10, 30.0, 60.0, KnownRate(), 3)]


def test_where_it_does_not_answer_the_own_queue_goes_on_behind_it():
    teller = Teller(Pacer(rate=1))
    seconds = [told(teller, place) for place in (None, NOW + 17, None, None)]
    assert seconds == pytest.approx([10, 17, 18, 19])


def test_nobody_is_asked_where_pacing_is_off():
    asked: list[Waiting] = []
    assert told(Teller(None), NOW + 17, asked) == pytest.approx(10)
    assert asked == []


@pytest.mark.parametrize("place", [NOW - 5, NOW + 1e9])
def test_a_place_that_cannot_be_told_is_as_near_to_it_as_a_client_acts_on(place):
    assert 0 < told(Teller(Pacer()), place) <= 60
