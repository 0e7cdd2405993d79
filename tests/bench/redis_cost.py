"""What the queue in Redis costs: the proxy's event loop for each refusal, and Redis' own time.

    python tests/bench/redis_cost.py [--refusals 20000]        # needs redis-server, half a minute
    python tests/bench/redis_cost.py --hangs                   # of 1,000 refusals, 5 seconds

A refusal is asked for as the proxy asks: LiteLLM's own client, on a thread, waited for here. The
cost without Redis is that of a process' own queue.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Callable

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else LiteLLM asks the internet for prices

from litellm.caching.redis_cache import RedisCache  # noqa: E402

from litellm_patch.seams.record import redis_questions  # noqa: E402
from litellm_patch.seams.record.shared_expiry import SharedExpiries  # noqa: E402
from litellm_patch.seams.record.shared_queue import SharedQueues  # noqa: E402
from litellm_patch.wait.known_rate import KnownRate  # noqa: E402
from litellm_patch.wait.pacing import Pacer  # noqa: E402
from litellm_patch.wait.shared_pacing import Waiting  # noqa: E402

sys.path.append(str(Path(__file__).parents[1]))
from redis_server import Redis, running_redis  # noqa: E402

GROUPS = 50
COOLDOWN = 10.0
COMMANDS = ("evalsha", "eval", "pttl", "time", "hmget", "hset", "pexpire")


def measured(refuse: Callable[[int], object], refusals: int, pause: float = 0.0) -> list[float]:
    """Microseconds of each."""
    taken = []
    for number in range(refusals):
        began = time.perf_counter()
        refuse(number)
        taken.append((time.perf_counter() - began) * 1e6)
        if pause:
            time.sleep(pause)
    return taken


def shown(name: str, taken: list[float]) -> str:
    cuts = statistics.quantiles(taken, n=1000)
    return f"| {name} | {cuts[499]:.0f} | {cuts[989]:.0f} | {cuts[998]:.0f} |"


def busy_seconds(redis: Redis) -> float:
    lines = dict(
        line.split(":", 1) for line in redis.ask("info", "cpu").splitlines() if ":" in line
    )
    return float(lines["used_cpu_user"]) + float(lines["used_cpu_sys"])


def hangs() -> None:
    """Print how long 1,000 refusals take an event loop whose Redis answers nothing any more.

    Each asks for the time left of its cooldown and for its place, and gets the place of its
    process' own queue in the end. They come one every 2 ms, so that Redis is asked again meanwhile.
    """
    ready_at, now = time.monotonic() + COOLDOWN, time.time()
    expiries, queues, pacer = SharedExpiries(), SharedQueues(), Pacer()
    with running_redis() as redis:
        cache = RedisCache(host="127.0.0.1", port=redis.port)

        def refuse(number: int) -> None:
            group = f"group {number % GROUPS}"
            waiting = Waiting(ready_at, COOLDOWN, 1e9, KnownRate())
            expiries.seconds(cache, group, now)
            if queues.place(cache, group, waiting) is None:
                alone(number)

        def alone(number: int) -> None:
            pacer.place(f"group {number % GROUPS}", time.monotonic(), ready_at, None, COOLDOWN)

        measured(refuse, 500)
        redis.ask("client", "pause", "60000", "all")
        hanging = measured(refuse, 1000, pause=0.002)
        without = measured(alone, 1000, pause=0.002)
    print(f"1,000 refusals with a Redis that hangs: {sum(hanging) / 1000:.1f} ms")
    print(f"1,000 refusals without a Redis: {sum(without) / 1000:.1f} ms")
    print("the longest:", ", ".join(f"{each / 1000:.1f} ms" for each in sorted(hanging)[-3:]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--refusals", type=int, default=20_000)
    parser.add_argument("--hangs", action="store_true", help="measure a Redis that hangs instead")
    options = parser.parse_args()
    if options.hangs:
        return hangs()
    refusals = options.refusals
    redis_questions.SHARE = redis_questions.SAVED = 1.0  # all of them are asked, without a pause
    ready_at = time.monotonic() + COOLDOWN
    queues, pacer = SharedQueues(), Pacer()
    answered = 0

    with running_redis() as redis:
        cache = RedisCache(host="127.0.0.1", port=redis.port)

        def shared(number: int) -> None:
            nonlocal answered
            waiting = Waiting(ready_at, COOLDOWN, 1e9, KnownRate())
            answered += queues.place(cache, f"group {number % GROUPS}", waiting) is not None

        def alone(number: int) -> None:
            pacer.place(f"group {number % GROUPS}", time.monotonic(), ready_at, None, COOLDOWN)

        measured(shared, 500)
        answered, calls, before = 0, redis.calls(), busy_seconds(redis)
        back_to_back = measured(shared, refusals)
        spent = busy_seconds(redis) - before
        after = redis.calls()
        now_and_then = measured(shared, refusals // 20, pause=0.002)
        print("| a refusal's place | p50 µs | p99 µs | p99.9 µs |\n| --- | --: | --: | --: |")
        print(shown("own queue, no Redis", measured(alone, refusals)))
        print(shown("shared, one after the other", back_to_back))
        print(shown("shared, one every 2 ms", now_and_then))
        asked = {name: after.get(name, 0) - calls.get(name, 0) for name in COMMANDS}
        trips = (asked["evalsha"] + asked["eval"]) / refusals
        print(f"\nround trips of a refusal: {trips:.2f}")
        print(f"of {refusals + refusals // 20} places Redis gave {answered}")
        print(f"Redis' time: {1e6 * spent / refusals:.0f} µs of a refusal")
        print(f"at 1,000 refusals a second: {1e3 * spent / refusals:.1%} of one core")
        print(f"memory: {redis.ask('info', 'memory').split('used_memory_human:')[1].split()[0]}")
        key = redis.ask("--scan", "--pattern", "*queue*").split()[0]
        print(f"one queue: {redis.ask('memory', 'usage', key)} bytes")


if __name__ == "__main__":
    main()
