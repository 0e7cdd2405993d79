"""The header tells what is left of the cooldown, at any moment of it."""

from __future__ import annotations

import time

import pytest
from conftest import COOLDOWN

from litellm_patch.lab.client import chat
from litellm_patch.lab.cooling import cool_down

MOMENTS = [0.4 * number for number in range(10)]  # seconds after the first refusal
SLOW = 0.1  # seconds between a client's clock and the moment at which the proxy read its own


@pytest.mark.needs_patch
def test_the_header_is_the_time_left_at_ten_moments(proxy, refusing, stand_in):
    refusing("left")
    cool_down(proxy, "left")
    for deployment in ("a", "b"):
        del stand_in.refusals[f"left-{deployment}"]
    began = time.monotonic()
    told = []
    for moment in MOMENTS:
        time.sleep(max(0.0, began + moment - time.monotonic()))
        asked = time.monotonic()
        answer = chat(proxy, "left")
        answered = time.monotonic()
        if answer.status == 200 and len(told) >= 5:
            break  # a slow machine: the cooldown is over
        assert answer.status == 429
        assert len(answer.all("retry-after-ms")) == 1
        milliseconds = int(answer.all("retry-after-ms")[0])
        assert milliseconds <= COOLDOWN * 1000
        assert answer.retry_after == str(-(-milliseconds // 1000))
        told.append((asked, answered, int(answer.retry_after), milliseconds / 1000))
    ends = min(answered + exact for _, answered, _, exact in told)
    # Until then nobody is served, and after it the next one is.
    time.sleep(max(0.0, ends - 3 * SLOW - time.monotonic()))
    asked_before_the_end = time.monotonic() < ends - 2 * SLOW
    assert chat(proxy, "left").status == (429 if asked_before_the_end else 200)
    time.sleep(max(0.0, ends + SLOW - time.monotonic()))
    assert chat(proxy, "left").status == 200
    # At each moment the header was the time left then, and less than a second more.
    for asked, answered, seconds, exact in told:
        assert -SLOW <= seconds - (ends - answered)
        assert seconds - (ends - asked) < 1 + SLOW
        assert asked + exact - ends < SLOW
