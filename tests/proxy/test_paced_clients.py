"""Clients that a cooling group refused are told different moments to return."""

from __future__ import annotations

import time

import pytest
from conftest import LAUNCH, WITH, sides

from litellm_patch.tools.lab.client import chat
from litellm_patch.tools.lab.cooling import cool_down
from litellm_patch.tools.lab.proxy import config, group, running_proxy
from litellm_patch.tools.lab.stand_in import Refuse, running_stand_in

COOLDOWN = 50.0  # seconds; nobody waits for its end, and a busy machine asks slowly
CLIENTS = 12
TIMER = 0.05  # seconds between a look at the clock here and there


SHIPPED = "as shipped"
# setup.cfg leaves the options out by their names.
PACED = {
    SHIPPED: ({}, True),
    "option 4 a second": ({"LITELLM_PATCH_PACING": "4"}, True),
    "option off": ({"LITELLM_PATCH_PACING": "off"}, False),
}


@pytest.mark.parametrize(
    "side, environment, apart",
    [
        pytest.param(side, *PACED[name], marks=marks, id=f"{side}-{name}")
        for name in PACED
        for side, marks in sides(on_native=True)
        if side == WITH or name == SHIPPED  # an option of the patch's changes nothing without it
    ],
)
def test_refused_clients_return_one_after_another(side, environment, apart):
    with running_stand_in() as stand_in:
        models = group("m", stand_in.url, ["m-a", "m-b"])
        with running_proxy(
            config(models, router_settings={"cooldown_time": COOLDOWN}),
            launch=LAUNCH[side],
            environment=environment,
        ) as proxy:
            stand_in.refusals["*"] = Refuse()
            cool_down(proxy, "m")
            ends_at = min(seen.at for seen in stand_in.seen) + COOLDOWN
            # The moment that an answer names lies between these two, however busy the machine is.
            earliest, latest = [], []
            for _ in range(CLIENTS):
                asked = time.monotonic()
                answer = chat(proxy, "m")
                answered = time.monotonic()
                milliseconds = answer.all("retry-after-ms")
                assert len(milliseconds) == 1
                assert int(answer.retry_after or 0) == -(-int(milliseconds[0]) // 1000)
                earliest.append(asked + int(milliseconds[0]) / 1000)
                latest.append(answered + int(milliseconds[0]) / 1000)
    assert min(latest) > ends_at - TIMER, "told to return before the end of the cooldown"
    at_least, at_most = max(earliest) - min(latest), max(latest) - min(earliest)
    if not apart:
        assert at_least < TIMER
    elif environment:
        assert at_most > (CLIENTS - 1) / 4 - TIMER
    else:
        assert at_most > 0.2
        assert at_least < 3
