"""Proxies that share their cooldowns through a real Redis, also when their clocks differ."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import EXACT, LAUNCH, has_rust_router
from redis_server import Redis, running_redis
from servers import needs_redis

import litellm_patch
from litellm_patch.tools.lab.client import chat
from litellm_patch.tools.lab.cooling import cool_down
from litellm_patch.tools.lab.proxy import Proxy, config, group, running_proxy
from litellm_patch.tools.lab.stand_in import Refuse, StandIn, running_stand_in

PACKAGE = Path(litellm_patch.__file__).parent
RUST = has_rust_router()
AHEAD = (0,) if RUST else (5, -5)
"""Seconds, of the clocks of the proxies that do not see the failure. What is shifted in Python is
not shifted in Rust."""
COOLDOWN = 20
"""Seconds. By a clock that is ahead it is over sooner, and a newer LiteLLM then asks the provider:
what is left must be enough to ask all proxies at ten moments on a machine that is busy."""
SKEWED = """
import os, sys, time
_real, _ahead = time.time, float(os.environ.get("CLOCK_AHEAD", "0"))
time.time = lambda: _real() + _ahead
if "litellm_patch" in sys.modules:
    from litellm_patch.seams.record import redis_questions
    redis_questions.PATIENCE = redis_questions.SAVED = 5.0
"""
"""On a busy machine Redis may need longer than the patch waits for it, and then another clock
counts than Redis' (tests/shared/test_redis_troubles.py)."""

pytestmark = needs_redis


@dataclass
class Fleet:
    """One proxy that sees the failures, and others by how far their clocks are ahead."""

    redis: Redis
    stand_in: StandIn
    witness: Proxy
    others: dict[int, Proxy]

    def reads(self) -> int:
        """How often Redis was asked for something by then."""
        calls = self.redis.calls()
        return sum(calls.get(name, 0) for name in ("get", "mget", "ttl", "pttl", "exists"))

    def seconds_left(self, model_group: str) -> float:
        keys = [f"deployment:{model_group}-{name}:cooldown" for name in "ab"]
        return min(int(self.redis.ask("pttl", key)) for key in keys) / 1000


@pytest.fixture(scope="module")
def fleet(tmp_path_factory, side) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("skewed")
    (folder / "sitecustomize.py").write_text(SKEWED)
    with ExitStack() as stack:
        stand_in = stack.enter_context(running_stand_in())
        stand_in.refusals["*"] = Refuse()
        redis = stack.enter_context(running_redis())
        entries = []
        for model_group in ("skew", "end", "own"):
            for entry in group(model_group, stand_in.url, [f"{model_group}-a", f"{model_group}-b"]):
                entry["model_info"] = {"id": entry["litellm_params"]["model"].partition("/")[2]}
                entries.append(entry)
        router = {"cooldown_time": COOLDOWN, "redis_host": "127.0.0.1", "redis_port": redis.port}
        configuration = config(entries, router_settings=router)

        def start(ahead: int) -> Proxy:
            path = os.pathsep.join([str(folder), str(PACKAGE.parent)])
            environment = {"PYTHONPATH": path, "CLOCK_AHEAD": str(ahead), **EXACT}
            return stack.enter_context(
                running_proxy(configuration, launch=LAUNCH[side], environment=environment)
            )

        with ThreadPoolExecutor(2) as pool:
            witness, *others = pool.map(start, [0, *AHEAD])
        for proxy in (witness, *others):
            # A first call is slow: LiteLLM imports half of itself for it. One that reaches the
            # router's caches would keep the older releases from Redis for some seconds.
            assert chat(proxy, "unknown").status == 400
        yield Fleet(redis, stand_in, witness, dict(zip(AHEAD, others)))


MOMENTS = [0.3 + 0.6 * number for number in range(10)]
"""Seconds after the cooldown began; the last is long before its end by a clock that is ahead."""


@pytest.mark.needs_patch(native=True)
def test_a_proxy_that_did_not_see_the_failure_tells_the_time_left(fleet):
    cool_down(fleet.witness, "skew")
    began = time.monotonic()
    asked_before = fleet.redis.calls().get("pttl", 0)
    looks = 0
    for moment in MOMENTS:
        time.sleep(max(0.0, began + moment - time.monotonic()))
        if moment > 2 and time.monotonic() > began + moment + 5:
            break  # a slow machine: by a clock that is ahead the cooldown is soon over
        for ahead, proxy in fleet.others.items():
            before = fleet.seconds_left("skew")
            answer = chat(proxy, "skew")
            after = fleet.seconds_left("skew")
            looks += 4
            assert answer.status == 429
            assert answer.retry_after is not None
            told = int(answer.retry_after)
            assert after - 0.05 <= told < before + 1.05, f"clock {ahead} s ahead"
    # Each proxy asked once for each of the two records, not once for each of its refusals. The
    # router in Rust goes by its own clock, so that nothing is asked.
    expected = 0 if RUST else 2 * len(AHEAD)
    assert fleet.redis.calls()["pttl"] - asked_before - looks == expected


@pytest.mark.needs_patch  # LiteLLM itself does so since 1.102; before, it refuses for ten minutes
def test_a_proxy_that_did_not_see_the_failure_serves_at_the_end(fleet):
    cool_down(fleet.witness, "end")
    for proxy in 2 * list(fleet.others.values()):
        assert chat(proxy, "end").status == 429
    fleet.stand_in.refusals["end-a"] = fleet.stand_in.refusals["end-b"] = None
    time.sleep(fleet.seconds_left("end") + 0.3)
    statuses = {ahead: chat(proxy, "end").status for ahead, proxy in fleet.others.items()}
    assert statuses == dict.fromkeys(AHEAD, 200)


@pytest.mark.needs_patch(native=True)
def test_its_own_cooldown_costs_a_proxy_no_redis_call(fleet):
    cool_down(fleet.witness, "own")
    time.sleep(1.2)
    before = fleet.reads()
    answers = [chat(fleet.witness, "own") for _ in range(10)]
    reads = fleet.reads() - before
    assert all(answer.retry_after is not None for answer in answers)
    assert all(int(answer.retry_after) < COOLDOWN for answer in answers)
    assert reads < len(answers) / 2  # what a proxy does behind its requests asks now and then
