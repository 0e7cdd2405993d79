"""The script that Redis runs gives the same places as the queue of a process."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import pytest
import redis_server

from litellm_patch.wait.known_rate import KnownRate
from litellm_patch.wait.pacing import Pacer
from litellm_patch.wait.shared_pacing import CLOCK, LAYOUT, SCRIPT, Waiting, place_in

pytestmark = pytest.mark.skipif(
    bool(redis_server.missing()), reason=f"this machine has no {', '.join(redis_server.missing())}"
)

TOLD_CLOCK = "local now = tonumber(ARGV[8])"
"""Instead of Redis' own."""


@pytest.fixture(scope="module")
def client():
    redis = pytest.importorskip("redis")
    with redis_server.running_redis() as server:
        yield redis.Redis(port=server.port)


@pytest.fixture(scope="module")
def script(client):
    assert CLOCK in SCRIPT
    return client.register_script(SCRIPT.replace(CLOCK, TOLD_CLOCK))


def any_number(rng: random.Random) -> int:
    """Of places that the process gave by itself meanwhile."""
    return rng.choice((0, 0, 0, 1, 7))


def one_client(rng: random.Random, now: float, ends: list[float]) -> Waiting:
    """Most wait for the same end; others' is later, earlier, or has passed."""
    if rng.random() < 0.1:
        ends.append(now + rng.choice((-1.0, 0.0, rng.uniform(0, 90))))
    ready_at = rng.choice(ends[-2:]) + rng.choice((0.0, 0.0, rng.uniform(-0.5, 0.5)))
    return Waiting(
        ready_at,
        rng.choice((None, 0.0, 10.0, rng.uniform(1, 90))),
        rng.choice((60.0, 60.0, 120.0, math.inf, 5.0)),
        KnownRate(rng.choice((None, None, 0.2, 50.0)), rng.choice((None, 40.0))),
        rng.choice((None, None, None, 3.0)),
    )


def any_clients(rng: random.Random) -> Iterator[tuple[float, Waiting]]:
    now, ends = 1e9, [1e9 + 10]
    for _ in range(300):
        now += rng.choice((0.0, 0.01, 0.01, 1.0, rng.expovariate(0.3)))
        yield now, one_client(rng, now, ends)


def cooldowns(rng: random.Random) -> Iterator[tuple[float, Waiting]]:
    """One after the other, each with a burst: what the queue learns from."""
    now = 1e9
    for _ in range(60):
        length = rng.choice((5.0, 10.0, 20.0))
        ready_at = now + length
        for _ in range(rng.choice((1, 3, 30))):
            yield now, Waiting(ready_at, length, 60.0, KnownRate())
            now += rng.choice((0.0, 0.01, 0.05))
        now = max(now, ready_at) + rng.choice((0.1, 0.5, 2.0, 6.0, 60.0))


@pytest.mark.parametrize("clients", [any_clients, cooldowns])
@pytest.mark.parametrize("seed", range(30))
def test_the_script_gives_the_places_that_a_process_gives(client, script, seed, clients):
    rng = random.Random(seed)
    pacers = {fixed: Pacer(fixed) for fixed in (None, 3.0)}
    pacers[3.0]._queues = pacers[None]._queues
    client.flushall()
    given = 0
    for now, one in clients(rng):
        meanwhile = any_number(rng)
        args = [*one.arguments(now, meanwhile), now]
        there = place_in(script(keys=["queue"], args=args), 0.0, 1)
        for _ in range(meanwhile + 1):
            here = pacers[one.fixed].place(
                "queue", now, one.ready_at, one.known, one.cooldown, one.honoured
            )
        assert there.at == pytest.approx(here - now, abs=1e-5)
        assert there.given == (given := given + meanwhile + 1)
        assert there.rate == pytest.approx(pacers[None].rate("queue"))


def test_a_queue_is_one_small_key_that_ends_by_itself(client, script):
    client.flushall()
    for number in range(2000):
        one = Waiting(1e9 + 10, 10.0, math.inf, KnownRate())
        script(keys=["queue"], args=[*one.arguments(1e9 + number / 1000), 1e9 + number / 1000])
    assert client.keys() == [b"queue"]
    assert client.memory_usage("queue") < 500
    assert 3600 < client.ttl("queue") <= 24 * 3600


def kept_for(client, script, one: Waiting, now: float) -> int:
    """Seconds for which Redis keeps the queue, told with the place."""
    client.flushall()
    together = client.pipeline()
    script(keys=["queue"], args=[*one.arguments(now), now], client=together)
    together.pttl("queue")
    return together.execute()[1] / 1000


@pytest.mark.parametrize(
    "left, seconds", [(10, 10 + 1 + 3600), (-60, 1 + 3600), (9 * 3600, 10 * 3600), (1e8, 24 * 3600)]
)
def test_a_queue_is_kept_for_an_hour_after_its_last_place_and_a_day_at_most(
    client, script, left, seconds
):
    one = Waiting(1e9 + left, None, 60.0, KnownRate(), fixed=1.0)
    assert kept_for(client, script, one, 1e9) == pytest.approx(seconds, abs=1)


def test_the_script_goes_by_the_clock_of_redis(client):
    client.flushall()
    one = Waiting(1010.0, None, 60.0, KnownRate(), fixed=1.0)
    place = place_in(client.eval(SCRIPT, 1, "own", *one.arguments(1000)), 1000, 1)
    assert place.at == pytest.approx(1010)
    (seconds, microseconds), ends = client.time(), float(client.hget("own", "ready_at"))
    assert ends <= seconds + microseconds / 1e6 + 10 < ends + 300


def test_what_is_kept_is_of_its_layout(client, script):
    """Other names, or another meaning of one, need another number: see `LAYOUT`."""
    kept_for(client, script, Waiting(1e9 + 10, None, 60.0, KnownRate()), 1e9)
    names = b"acquitted at_the_end began doubles flow given last_place next_arrival places rate"
    names += b" ready_at refused relapsed suspected suspected_until without_place"
    assert {LAYOUT: sorted(client.hkeys("queue"))} == {2: names.split()}


@pytest.mark.parametrize(
    "reply", ["", "7.5", "nan 1 9", "inf 1 9", "7 x 9", "7 1 nan", b"OK", None, 7.5]
)
def test_another_reply_is_none(reply):
    with pytest.raises((ValueError, AttributeError)):
        place_in(reply, 0.0, 1)
