"""The header tells what is left of the cooldown, at any moment of it."""

from __future__ import annotations

import time

import pytest
from conftest import COOLDOWN

from litellm_patch.lab.client import chat
from litellm_patch.lab.cooling import cool_down

MOMENTS = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5]  # seconds into a cooldown of 5.2 s


@pytest.mark.needs_patch(native=True)
def test_the_header_is_the_time_left_at_ten_moments(proxy, refusing, stand_in):
    refusing("left")
    cool_down(proxy, "left")
    # The cooldown of a deployment begins when LiteLLM has handled its failure, a little after
    # the provider saw the call. The first of the group to be ready is the first to have failed.
    calls = [seen.at for seen in stand_in.calls("left-a") + stand_in.calls("left-b")]
    began = min(calls)
    for moment in MOMENTS:
        time.sleep(max(0.0, began + moment - time.monotonic()))
        asked = time.monotonic()
        answer = chat(proxy, "left")
        left = began + COOLDOWN - asked
        assert answer.status == 429
        told, milliseconds = answer.retry_after, answer.all("retry-after-ms")
        assert told is not None
        assert -0.1 <= int(told) - left < 1.3, f"{moment} s into it: told {told}, left {left:.2f}"
        assert len(milliseconds) == 1
        assert int(milliseconds[0]) / 1000 == pytest.approx(left, abs=0.4)
        assert int(told) == -(-int(milliseconds[0]) // 1000)
