"""Several proxies in simulated time: what they know of each other, and what one queue is worth."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest
from fleet import EVERY, Memory
from proxies import SHARED, TOLD, UNAWARE, of_all, of_proxies
from random_overloads import FACTS
from result import read, shares_served
from scenarios import FLEETS, Overload
from simulate import NEW_SDK

OLD, NEW = EVERY.values()
SEEDS = range(12)
SOME = FACTS[::9]
PLAYED = read(Path(__file__).parent / "results" / "fleet")
QUEUE_OF = {"as-shipped": SHARED, "told": TOLD, "unaware": UNAWARE}
NOISE = 0.015
"""Share of calls: the seeds of one overload differ by up to nine points, their means less."""
MEASURED = Overload(capacity=12, steady=3, burst=25, every=15, cooldown=10, length=90)
"""Played by one and by four real proxies, LiteLLM 1.85.0, two seeds each."""


def test_an_older_proxy_keeps_a_copy_until_it_refuses():
    redis = [0.0, 0.0]
    one, other = Memory(2, redis, OLD), Memory(2, redis, OLD)
    one.cool(0, 1.0, 6.0)
    assert other.free(2.0) == [1]
    assert other.free(100.0) == [1]
    other.cool(1, 100.0, 105.0)
    assert other.refuse(101.0) == 101.0
    assert other.free(101.0) == [0]


@pytest.mark.parametrize("number, served, refusals", [(1, 0.80, 18), (4, 0.78, 65)])
def test_it_agrees_with_real_proxies(number, served, refusals):
    """(They had an earlier queue. One simulated proxy lets more of a burst through than a real.)"""
    outcomes = [of_proxies(MEASURED, number, UNAWARE, OLD, seed) for seed in SEEDS]
    share = statistics.mean(one.share_served for one in outcomes)
    assert share == pytest.approx(served, abs=0.1)
    refused = statistics.mean(one.provider_refusals for one in outcomes)
    assert refusals / 1.5 < refused < 2.5 * refusals


def measured(variant: str, proxies: int) -> dict[Overload, float]:
    """Share of calls that real proxies served, the mean of the seeds."""
    return {
        overload: statistics.mean(by_variant[variant])
        for overload, by_variant in shares_served(PLAYED, proxies).items()
        if variant in by_variant
    }


def test_four_real_proxies_with_one_queue_serve_what_one_serves_and_what_a_number_would_give():
    alone, shared, told = (
        measured(variant, proxies)
        for variant, proxies in (("as-shipped", 1), ("as-shipped", 4), ("told", 4))
    )
    assert set(alone) == set(shared) == set(FLEETS)
    assert statistics.mean(shared.values()) >= statistics.mean(alone.values())
    assert statistics.mean(shared.values()) >= statistics.mean(told.values())
    for overload in FLEETS:
        assert shared[overload] >= 0.96 * alone[overload]
        assert shared[overload] >= told[overload] - NOISE
    both = [one for one in FLEETS if shared[one] >= max(0.97 * alone[one], told[one])]
    assert len(both) >= 4


@pytest.mark.parametrize("variant", QUEUE_OF)
def test_the_simulation_serves_as_many_calls_as_four_real_proxies(variant):
    for overload, real in measured(variant, 4).items():
        outcomes = [
            of_proxies(overload, 4, QUEUE_OF[variant], OLD, seed, honoured=NEW_SDK)
            for seed in SEEDS
        ]
        simulated = statistics.mean(one.share_served for one in outcomes)
        assert simulated == pytest.approx(real, abs=0.08)


def test_one_queue_serves_more_than_many_that_know_their_number():
    for every in (OLD, NEW):
        told, shared = (of_all(SOME, 16, queues, every)[0] for queues in (TOLD, SHARED))
        assert shared > told + 0.03


def test_one_queue_of_64_proxies_serves_what_one_proxy_serves():
    alone = of_all(SOME, 1, SHARED, NEW)[0]
    for every in (OLD, NEW):
        assert of_all(SOME, 64, SHARED, every)[0] >= alone - 0.02
