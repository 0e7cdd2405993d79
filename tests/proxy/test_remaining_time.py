"""The header tells what is left of the cooldown, at any moment of it."""

from __future__ import annotations

import time

import pytest
from conftest import COOLDOWN

from litellm_patch.lab.client import chat
from litellm_patch.lab.cooling import cool_down

MOMENTS = [0.4 * number for number in range(10)]  # seconds after the first refusal


@pytest.mark.needs_patch(native=True)
def test_the_header_is_the_time_left_at_ten_moments(proxy, refusing, stand_in):
    refusing("left")
    cool_down(proxy, "left")
    for deployment in ("a", "b"):
        del stand_in.refusals[f"left-{deployment}"]
    began = time.monotonic()
    earliest, latest = [], []  # the end of the cooldown, as it follows from each answer
    for moment in MOMENTS:
        time.sleep(max(0.0, began + moment - time.monotonic()))
        asked = time.monotonic()
        answer = chat(proxy, "left")
        answered = time.monotonic()
        if answer.status == 200 and len(earliest) >= 5:
            break  # a slow machine: the cooldown is over
        assert answer.status == 429
        milliseconds = answer.all("retry-after-ms")
        assert len(milliseconds) == 1
        assert int(milliseconds[0]) <= COOLDOWN * 1000
        assert answer.retry_after == str(-(-int(milliseconds[0]) // 1000))
        earliest.append(asked + int(milliseconds[0]) / 1000)
        latest.append(answered + int(milliseconds[0]) / 1000)
    # All of them tell the same end, ...
    assert max(earliest) - min(latest) < 0.05
    # ... before which nobody is served, and after which the next one is.
    time.sleep(max(0.0, min(latest) + 0.05 - time.monotonic()))
    assert chat(proxy, "left").status == 200
    served = [seen.at for seen in stand_in.calls("left-a") + stand_in.calls("left-b")]
    assert max(served) > max(earliest) - 0.05
