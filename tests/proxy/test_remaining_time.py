"""The header tells what is left of the cooldown, at any moment of it."""

from __future__ import annotations

import time

import pytest
from conftest import COOLDOWN

from litellm_patch.tools.lab.client import chat
from litellm_patch.tools.lab.cooling import cool_down

MOMENTS = [0.4 * number for number in range(10)]  # seconds after the first refusal
MADE_APART = 0.05  # seconds between LiteLLM's look at its clock and ours


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
    # The cooldown's end, as it follows from each answer, lies between these two, ...
    earliest = max(asked + exact for asked, _, _, exact in told)
    latest = min(answered + exact for _, answered, _, exact in told)
    assert earliest - latest < MADE_APART
    # ... until then nobody is served, and after it the next one is.
    time.sleep(max(0.0, earliest - 0.3 - time.monotonic()))
    answer = chat(proxy, "left")
    assert answer.status == 429 or time.monotonic() > earliest
    time.sleep(max(0.0, latest + MADE_APART - time.monotonic()))
    assert chat(proxy, "left").status == 200
    # At each moment the header was what was left then, and less than a second more.
    for asked, answered, seconds, _ in told:
        assert 0 <= seconds - (latest - answered)
        assert seconds - (earliest - asked) < 1 + MADE_APART
