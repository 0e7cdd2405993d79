"""A proxy that exports Prometheus metrics shows what its refused clients were told."""

from __future__ import annotations

import re

import pytest
from conftest import COOLDOWN, LAUNCH

from litellm_patch.tools.lab.client import call, chat
from litellm_patch.tools.lab.cooling import cool_down
from litellm_patch.tools.lab.proxy import config, group, running_proxy
from litellm_patch.tools.lab.stand_in import Refuse, running_stand_in

pytest.importorskip("prometheus_client")


@pytest.mark.needs_patch(native=True)
def test_refusals_are_counted_where_the_proxy_counts(side):
    with running_stand_in() as stand_in:
        stand_in.refusals["*"] = Refuse()
        configuration = config(
            group("m", stand_in.url, ["m-a", "m-b"]),
            router_settings={"cooldown_time": COOLDOWN},
            litellm_settings={"callbacks": ["prometheus"]},
        )
        with running_proxy(configuration, launch=LAUNCH[side]) as proxy:
            cool_down(proxy, "m")
            before = counted(proxy)
            for _ in range(3):
                assert chat(proxy, "m").status == 429
            assert counted(proxy) - before == 3


def counted(proxy) -> int:
    answer = call(proxy.url, "/metrics/", None, proxy.headers)
    assert answer.status == 200
    assert b"litellm_" in answer.body
    name = 'litellm_patch_refusals_total{seam="proxy-exception",told="wait"}'
    found = re.findall(rf"^{re.escape(name)} ([\d.]+)$", answer.body.decode(), re.M)
    return int(float(found[0])) if found else 0
