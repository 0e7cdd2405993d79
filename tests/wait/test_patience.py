"""What a client is told of a wait, and that its retries suffice when it does as it is told."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_patch.wait.patience import RETRIES, first_step

DAY = 86_400


@pytest.mark.parametrize(
    "seconds, told",
    [(0, 0), (20, 20), (60, 59.999), (60.5, 59), (75, 59), (119, 59), (119.1, None), (DAY, None)],
)
def test_what_a_client_honours_is_told_and_what_is_longer_in_steps(seconds, told):
    assert first_step(seconds) == told


def test_who_honours_more_is_told_more():
    assert first_step(75, 120) == 75
    assert first_step(200, 120) == 118
    assert first_step(DAY, math.inf) == DAY


@given(st.floats(0, 1e6), st.floats(1, 1e4))
def test_who_does_as_it_is_told_has_waited_long_enough_within_its_retries(seconds, honoured):
    left = seconds
    for _ in range(RETRIES):
        step = first_step(left, honoured)
        if step is None:
            assert left == seconds, "the second of two steps must never be refused"
            return
        assert step <= honoured
        left -= step
        if left <= 0.001:
            return
    raise AssertionError(f"{left} s are left")
