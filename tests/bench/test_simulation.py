"""The goals of pacing, in simulated time, where the dice are known."""

from __future__ import annotations

import random
import re

import pytest
import readme
from random_overloads import CLASSES, TEST, overloads, served
from scenarios import GRID, LONG, SLOW_PROVIDER, Overload, Recovery
from simulate import (
    CONFIGURED,
    EXACT,
    NEW_SDK,
    NO_HEADER,
    NOT_BUSY,
    OLD_SDK,
    PACED,
    mean_share,
    simulate,
)

from litellm_patch.wait.known_rate import START, KnownRate
from litellm_patch.wait.pacing import HONOURED, Pacer

SEEDS = range(5)
NOISE = 0.005


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("cooldown", [12, 60])
def test_thirty_waiting_clients_hardly_notice(cooldown, seed):
    outcome = simulate(Recovery(30, cooldown), PACED, seed)
    median, _, worst = outcome.lateness()
    assert (outcome.share_served, outcome.requests_per_call) == (1.0, 2.0)
    assert median <= 2.0
    assert worst <= 4.0


@pytest.mark.parametrize(
    "clients, cooldown, share", [(200, 12, 1.0), (200, 60, 1.0), (2500, 60, 0.87)]
)
def test_many_waiting_clients_are_served_with_two_requests(clients, cooldown, share):
    """But those of 2500 for whom 60 s are too short: they come back once more, or in vain."""
    outcome = simulate(Recovery(clients, cooldown), PACED, 1)
    assert outcome.share_served >= share
    assert 1.8 < outcome.requests_per_call <= (2.0 if share == 1 else 2.6)


@pytest.mark.parametrize(
    "clients, cooldown, honoured, rate, share",
    [
        (1000, 60, OLD_SDK, None, 0.97),
        (1600, 30, OLD_SDK, None, 0.99),
        (2500, 60, NEW_SDK, None, 1.0),
        (2500, 60, OLD_SDK, 50, 1.0),
    ],
)
def test_how_many_clients_get_a_place_from_proxies_that_are_hardly_busy(
    clients, cooldown, honoured, rate, share
):
    pacers = [Pacer(rate=rate)]
    scenario = Recovery(clients, cooldown)
    outcome = simulate(scenario, PACED, 1, pacers, honoured=honoured, busy=NOT_BUSY)
    assert outcome.share_served >= share


def test_an_overloaded_group_serves_nearly_everyone():
    assert mean_share(Overload(), PACED) >= 0.97


@pytest.mark.parametrize("cell", GRID, ids=lambda cell: cell.name)
def test_no_other_variant_serves_more(cell):
    others = max(mean_share(cell, variant) for variant in (NO_HEADER, CONFIGURED, EXACT))
    assert mean_share(cell, PACED) >= others - NOISE


@pytest.mark.parametrize("cell", LONG, ids=lambda cell: cell.name)
def test_no_other_variant_serves_more_in_five_minutes(cell):
    """Each burst meets a group that has just returned: the cooldowns are multiples of its time."""
    others = max(mean_share(cell, variant) for variant in (NO_HEADER, CONFIGURED, EXACT))
    assert mean_share(cell, PACED) >= others


def test_a_slow_provider_is_not_overloaded():
    assert mean_share(SLOW_PROVIDER, PACED) >= 0.95


@pytest.mark.parametrize("cooldown", CLASSES)
def test_no_other_variant_serves_more_in_random_overloads(cooldown):
    some = overloads(TEST, cooldown, 12)
    ours = served(some, PACED, OLD_SDK)
    for other in (NO_HEADER, CONFIGURED, EXACT):
        assert ours >= served(some, other, OLD_SDK) - NOISE, other


def with_workers(workers: int, said: int) -> float:
    """Share served by a proxy with so many workers, each of which was told a number of them."""
    served: list[float] = []
    for seed in SEEDS:
        pacers = [Pacer(workers=said, random=random.Random(n)) for n in range(workers)]
        served.append(simulate(Overload(), PACED, seed, pacers).share_served)
    return sum(served) / len(served)


@pytest.mark.parametrize("workers, share", [(2, 0.97), (4, 0.97), (16, 0.9)])
def test_workers_that_know_their_number_serve_nearly_everyone(workers, share):
    assert with_workers(workers, workers) >= share


def test_workers_that_do_not_know_it_serve_more_than_the_exact_time_would():
    assert with_workers(4, 1) >= mean_share(Overload(), EXACT) + 0.05


@pytest.mark.parametrize("known", [KnownRate(limit=20), KnownRate(served=5)])
def test_what_the_router_knows_does_not_hurt(known):
    served = [simulate(Overload(), PACED, seed, known=known).share_served for seed in SEEDS]
    assert sum(served) / len(served) >= 0.95


def test_the_readme_tells_what_is_simulated_here():
    text = " ".join(readme.page("bench").split())
    told = re.findall(r"about (\d+) clients a second at first|pushed beyond (\d+) s", text)
    assert told == [(f"{START:.0f}", ""), ("", f"{HONOURED:.0f}")]
    (clients, seconds) = re.findall(r"(\d+) clients that wait .*? are let back over (\d+) s", text)[
        0
    ]
    _, _, worst = simulate(Recovery(int(clients), 60), PACED, 1).lateness()
    assert f"{worst:.0f}" == seconds
