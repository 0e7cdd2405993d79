"""The simulation says what the real proxies of the committed results did."""

from __future__ import annotations

import statistics
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest
from result import Result, read
from scenarios import GRID, Overload, Recovery
from simulate import CONFIGURED, EXACT, PACED, SEEDS, VARIANTS, mean_share, simulate

RESULTS = [result for result in read(Path(__file__).parent / "results") if result.proxies == 1]
RECOVERIES = [result for result in RESULTS if isinstance(result.scenario, Recovery)]
TOLD_APART = (CONFIGURED, PACED)
NOISE = 0.05
"""Share of calls: seeds of one real run differ by more in half of the cells."""


@cache
def shares(variant: str) -> dict[Overload, tuple[float, float]]:
    """Share of calls served in each overload that was run: simulated, measured."""
    measured = defaultdict(list)
    for result in RESULTS:
        if isinstance(result.scenario, Overload) and result.variant == variant:
            measured[result.scenario].append(result.share_served)
    return {
        scenario: (mean_share(scenario, variant), statistics.mean(each))
        for scenario, each in measured.items()
    }


def test_every_cell_of_the_grid_was_run():
    for variant in VARIANTS:
        assert set(shares(variant)) == {Overload(), *GRID}


@pytest.mark.parametrize("variant", [variant for variant in VARIANTS if variant != EXACT])
def test_it_serves_as_many_calls(variant):
    differences = [simulated - measured for simulated, measured in shares(variant).values()]
    assert abs(statistics.mean(differences)) <= 0.06
    assert statistics.mean(map(abs, differences)) <= 0.1


def test_its_stampedes_are_a_little_worse():
    """Clients of one process that all wake in one instant are late, which makes it easier."""
    differences = [simulated - measured for simulated, measured in shares(EXACT).values()]
    assert -0.15 <= statistics.mean(differences) <= 0
    assert max(differences) <= 0.1


def test_it_agrees_on_which_variant_serves_the_most():
    for scenario in shares(PACED):
        simulated, measured = zip(*(shares(variant)[scenario] for variant in VARIANTS))
        best = VARIANTS.index(PACED)
        if measured[best] > max(measured[:best]) + NOISE:
            assert simulated[best] >= max(simulated[:best]), scenario.name


@pytest.mark.parametrize("clients, variants", [(30, (CONFIGURED, EXACT, PACED)), (200, TOLD_APART)])
def test_waiting_clients_are_as_late(clients, variants):
    for result in RECOVERIES:
        if result.scenario.clients == clients and result.variant in variants:
            median, worst = lateness(result)
            assert result.late[0] == pytest.approx(median, abs=0.5, rel=0.15)
            assert result.late[2] == pytest.approx(worst, abs=0.5, rel=0.15)


def test_many_clients_that_return_in_one_instant_are_at_least_as_late():
    """They wait for the proxy, which is as slow as its machine."""
    for result in RECOVERIES:
        if result.variant == EXACT:
            assert result.late[2] > lateness(result)[1] - 0.5


def lateness(result: Result) -> tuple[float, float]:
    """Median and worst, simulated."""
    runs = (simulate(result.scenario, result.variant, seed).lateness() for seed in SEEDS)
    median, _, worst = (statistics.mean(column) for column in zip(*filter(None, runs)))
    return median, worst
