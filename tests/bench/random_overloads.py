"""Overloads by chance, which the constants of pacing were chosen on, and a part kept for the test.

    python tests/bench/random_overloads.py [--test] [--each 12]

prints the share of calls served in each class of cooldown by each variant, for clients that
honour 60 s and for clients that honour 120 s and are known to.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scenarios import Overload
from simulate import NEW_SDK, NOT_BUSY, OLD_SDK, VARIANTS, simulate

CLASSES = ((5, 15), (15, 30), (30, 45), (45, 60), (60, 90))
"""Shortest and longest cooldown of each, in seconds."""

CHOSEN_ON, TEST = 1, 777
"""Seeds of the overloads."""

FACTS = [
    Overload(capacity=capacity, burst=burst, cooldown=cooldown, length=400)
    for capacity in (10, 20, 40)
    for burst in (15, 40, 80)
    for cooldown in (5, 10, 15, 20, 25, 30, 45)
]
"""A grid over long runs."""


@dataclass(frozen=True)
class RandomOverload(Overload):
    """An overload with a number of deployments, which share the capacity, and a seed."""

    deployments: int = 2
    seed: int = 0


def overloads(seed: int, cooldown: tuple[float, float], number: int) -> list[RandomOverload]:
    """Capacity 5–80/s, load 25–90 %, of which bursts are 10–80 %; 2–5 minutes and more."""
    rng = random.Random(f"{seed} {cooldown}")
    return [_overload(rng, cooldown) for _ in range(number)]


def _overload(rng: random.Random, cooldown: tuple[float, float]) -> RandomOverload:
    capacity = math.exp(rng.uniform(math.log(5), math.log(80)))
    calls = capacity * rng.uniform(0.25, 0.9)
    in_bursts, every = calls * rng.uniform(0.1, 0.8), rng.uniform(5, 60)
    return RandomOverload(
        capacity=capacity,
        steady=calls - in_bursts,
        burst=max(1, round(in_bursts * every)),
        every=every,
        cooldown=rng.uniform(*cooldown),
        length=rng.uniform(120, 600),
        saved=rng.choice((0.1, 0.25, 0.5, 1.0)),
        deployments=rng.randint(2, 5),
        seed=rng.randrange(10**6),
    )


def served(some: Sequence[RandomOverload], variant: str, honoured: float) -> float:
    """Mean share of calls served. The proxy, of many workers say, is never what they wait for."""
    return statistics.mean(
        simulate(
            one,
            variant,
            one.seed,
            deployments=one.deployments,
            honoured=honoured,
            busy=NOT_BUSY,
        ).share_served
        for one in some
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--test", action="store_true", help="the part kept for the test")
    parser.add_argument("--each", type=int, default=12, help="overloads in each class")
    options = parser.parse_args()
    seed = TEST if options.test else CHOSEN_ON
    titles = " ".join(f"{low:4}–{high} s" for low, high in CLASSES)
    print(f"honoured variant     {titles}     all  the grid of 400 s")
    for honoured in (OLD_SDK, NEW_SDK):
        for variant in VARIANTS:
            shares = [
                served(overloads(seed, one, options.each), variant, honoured) for one in CLASSES
            ]
            grid = statistics.mean(
                simulate(one, variant, 1, honoured=honoured).share_served for one in FACTS
            )
            row = " ".join(f"{share:8.1%}" for share in (*shares, statistics.mean(shares), grid))
            print(f"{honoured:6.0f} s {variant:10} {row}", flush=True)


if __name__ == "__main__":
    main()
