"""Clients that a cooling group refused are told different moments to return."""

from __future__ import annotations

import time

import pytest
from conftest import LAUNCH

from litellm_patch.lab.client import chat
from litellm_patch.lab.cooling import cool_down
from litellm_patch.lab.proxy import config, group, running_proxy
from litellm_patch.lab.stand_in import Refuse, running_stand_in

COOLDOWN = 30.0  # seconds
CLIENTS = 12


@pytest.mark.needs_patch(native=True)
@pytest.mark.parametrize(
    "environment, apart",
    [({}, True), ({"LITELLM_PATCH_PACING": "4"}, True), ({"LITELLM_PATCH_PACING": "off"}, False)],
    ids=["as shipped", "4 a second", "off"],
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
            returns = []
            for _ in range(CLIENTS):
                asked = time.monotonic()
                answer = chat(proxy, "m")
                milliseconds = answer.all("retry-after-ms")
                assert len(milliseconds) == 1
                assert int(answer.retry_after or 0) == -(-int(milliseconds[0]) // 1000)
                returns.append(asked + int(milliseconds[0]) / 1000)
    assert min(returns) > ends_at - 0.2, "told to return before the end of the cooldown"
    spread = max(returns) - min(returns)
    if not apart:
        assert spread < 0.4
    elif environment:
        assert spread > (CLIENTS - 1) / 4 - 0.4
    else:
        assert 0.2 < spread < 3
