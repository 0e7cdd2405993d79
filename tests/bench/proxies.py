"""What several proxies on one Redis serve: each with a queue of its own, or one queue for all.

python tests/bench/proxies.py            # the table of PROXIES.md, some minutes
"""

from __future__ import annotations

import random
import statistics
import sys
from collections.abc import Sequence

from fleet import EVERY
from random_overloads import FACTS
from runs import Outcome
from scenarios import Overload
from simulate import NOT_BUSY, PACED, simulate

from litellm_patch.wait.pacing import Pacer

UNAWARE, TOLD, SHARED = "unaware", "told", "shared"
QUEUES = (UNAWARE, TOLD, SHARED)
"""Each proxy has its own queue; each has, and knows how many there are; there is one for all."""

NUMBERS = (1, 2, 4, 16, 64)


def of_proxies(
    scenario: Overload, number: int, queues: str, every: float, seed: int = 1, **busy: object
) -> Outcome:
    """One overload of so many proxies; see `simulate.simulate`."""
    rng = random.Random(seed)
    if queues == SHARED:
        pacers = number * [Pacer(random=rng)]
    else:
        said = number if queues == TOLD else 1
        pacers = [Pacer(workers=said, random=rng) for _ in range(number)]
    return simulate(scenario, PACED, seed, pacers, every=every, **busy)


def of_all(
    scenarios: Sequence[Overload], number: int, queues: str, every: float
) -> tuple[float, float]:
    """Means of the share of calls served, and of the provider's refusals."""
    outcomes = [of_proxies(one, number, queues, every, busy=NOT_BUSY) for one in scenarios]
    return (
        statistics.mean(one.share_served for one in outcomes),
        statistics.mean(one.provider_refusals for one in outcomes),
    )


def main() -> int:
    print("| a proxy asks Redis | proxies |" + "".join(f" {one} |" for one in QUEUES))
    print("| --- | --: |" + len(QUEUES) * " --: |")
    for every, releases in zip(EVERY.values(), EVERY):
        for number in NUMBERS:
            cells = []
            for queues in QUEUES:
                share, refusals = of_all(FACTS, number, queues, every)
                cells.append(f" {share:.1%} ({refusals:.0f}) |")
            print(f"| every {every:g} s ({releases} on) | {number} |" + "".join(cells), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
