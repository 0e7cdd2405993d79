"""The stand-in provider's capacity is what the simulation assumes it to be."""

from __future__ import annotations

import time

from capacity import Capacity, limited_to

from litellm_patch.tools.lab.stand_in import Refuse


def test_it_takes_what_it_saved_up_and_then_its_rate():
    capacity = Capacity(20, saved=0.25)
    now = time.monotonic() + 10
    assert [capacity.take(now) for _ in range(6)] == [True] * 5 + [False]
    assert capacity.take(now + 0.051)
    assert not capacity.take(now + 0.052)
    assert sum(capacity.take(now + 1 + n / 100) for n in range(200)) in (43, 44, 45)


def test_a_small_capacity_takes_at_least_one_at_a_time():
    capacity = Capacity(1, saved=0)
    assert capacity.take(time.monotonic() + 1)


def test_a_stand_in_refuses_what_is_beyond_its_capacity():
    stand_in, now = limited_to(Capacity(1, saved=2))(), time.monotonic()
    stand_in.refusals["down"] = Refuse(status=500)
    told = [stand_in.refusal(model, now) for model in ("down", "m", "n", "m")]
    assert told == [Refuse(status=500), None, None, Refuse()]
