"""The pacing module in simulated time: thousands of clients, a router, a provider, no processes.

The model is as small as the question allows. The provider is a token bucket of one second's
worth. The router picks one of two deployments that are not cooling, cools a deployment when
the provider refuses it, and refuses by itself when both are cooling. Clients behave as
openai-python 2.x does. Everything random comes from one seed.

    python tests/bench/simulate.py            # the grid and the recoveries as tables
"""

from __future__ import annotations

import heapq
import itertools
import random
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Callable

from litellm_patch.wait.pacing import Pacer

VARIANTS = ("no header", "configured", "exact", "paced")
LATENCY = 0.03  # seconds that the provider takes to answer
RETRIES = 2  # of openai-python, by default


@dataclass(frozen=True)
class Overload:
    """Steady calls and bursts against a provider with a capacity; rates are per second."""

    capacity: float = 20
    steady: float = 4
    burst: int = 30
    every: float = 15
    cooldown: float = 10
    length: float = 60
    depth: float = 1.0  # of the provider's bucket, in seconds of its capacity

    def arrivals(self, rng: random.Random) -> Iterator[float]:
        for number in range(int(self.length * self.steady)):
            yield (number + rng.random()) / self.steady
        for start in range(int(self.length // self.every)):
            for _ in range(self.burst):
                yield start * self.every + rng.random() * 0.2

    def most_served(self) -> float:
        """Physical bound on the share served: the provider cannot take more than this."""
        calls = self.steady * self.length + self.burst * int(self.length // self.every)
        return min(1.0, self.capacity * (self.length + 1) / calls)


@dataclass(frozen=True)
class Recovery:
    """Clients arrive while a group cools down; its provider is healthy and unlimited."""

    clients: int = 30
    cooldown: float = 60

    def arrivals(self, rng: random.Random) -> Iterator[float]:
        for number in range(self.clients):
            yield (number + rng.random()) / self.clients * self.cooldown * 0.95


@dataclass
class Call:
    """One call of a client: when it began, what it sent, when it was served (None: failed)."""

    began: float
    requests: int = 0
    served_at: float | None = None
    refused: int = 0


@dataclass
class Outcome:
    """What happened in one simulated run; lateness is in seconds after a cooldown's end."""

    calls: list[Call] = field(default_factory=list)
    provider_refusals: int = 0
    first_end: float = 0.0

    @property
    def share_served(self) -> float:
        return sum(call.served_at is not None for call in self.calls) / len(self.calls)

    @property
    def requests_per_call(self) -> float:
        return sum(call.requests for call in self.calls) / len(self.calls)

    def lateness(self) -> tuple[float, float, float]:
        """Median, 95th percentile and worst of those that were refused and then served."""
        late = sorted(
            call.served_at - self.first_end
            for call in self.calls
            if call.refused and call.served_at is not None
        )
        if not late:
            return (0.0, 0.0, 0.0)
        return (statistics.median(late), late[int(0.95 * (len(late) - 1))], late[-1])


class Simulation:
    """One run. `wait_told` answers what a refused client is told: seconds, or None."""

    def __init__(
        self, capacity: float | None, cooldown: float, seed: int, depth: float = 1
    ) -> None:
        self.rng = random.Random(seed)
        self.capacity, self.cooldown = capacity, cooldown
        self.most_tokens = (capacity or 0.0) * depth
        self.tokens, self.filled_at = self.most_tokens, 0.0
        self.ends = [0.0, 0.0]  # of the two deployments' cooldowns
        self.outcome = Outcome()
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()
        self.wait_told: Callable[[float, float], float | None] = lambda now, ready_at: None

    def run(self, arrivals: Iterator[float]) -> Outcome:
        for at in arrivals:
            call = Call(at)
            self.outcome.calls.append(call)
            self._at(at, lambda now, call=call: self._request(now, call))
        while self._events:
            now, _, event = heapq.heappop(self._events)
            event(now)
        return self.outcome

    def _at(self, when: float, event: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (when, next(self._order), event))

    def _request(self, now: float, call: Call) -> None:
        call.requests += 1
        free = [index for index, end in enumerate(self.ends) if end <= now]
        if not free:
            call.refused += 1
            return self._retry(now, call, self.wait_told(now, min(self.ends)))
        deployment = self.rng.choice(free)
        if self._provider_takes(now):
            call.served_at = now + LATENCY
        else:
            self.outcome.provider_refusals += 1
            self._at(now + LATENCY, lambda then: self._refused(then, call, deployment))

    def _refused(self, now: float, call: Call, deployment: int) -> None:
        if self.ends[deployment] <= now:  # LiteLLM keeps the first deadline (issue #40130)
            self.ends[deployment] = now + self.cooldown
        self._retry(now, call, None)  # a provider's 429 carries no wait

    def _retry(self, now: float, call: Call, told: float | None) -> None:
        if call.requests > RETRIES:
            return
        if told is None or not 0 < told <= 60:
            told = min(0.5 * 2 ** (call.requests - 1), 8) * (1 - 0.25 * self.rng.random())
        self._at(now + told, lambda then: self._request(then, call))

    def _provider_takes(self, now: float) -> bool:
        if self.capacity is None:
            return True
        self.tokens = min(self.most_tokens, self.tokens + (now - self.filled_at) * self.capacity)
        self.filled_at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


def simulate(
    scenario: Overload | Recovery, variant: str, seed: int, pacer: Pacer | None = None
) -> Outcome:
    """Run one scenario with what one variant of the proxy tells its refused clients."""
    capacity = scenario.capacity if isinstance(scenario, Overload) else None
    depth = scenario.depth if isinstance(scenario, Overload) else 1.0
    simulation = Simulation(capacity, scenario.cooldown, seed, depth)
    pacer = pacer or Pacer()
    tells: dict[str, Callable[[float, float], float | None]] = {
        "no header": lambda now, ready_at: None,
        "configured": lambda now, ready_at: scenario.cooldown,
        "exact": lambda now, ready_at: ready_at - now,
        "paced": lambda now, ready_at: pacer.place("group", now, ready_at) - now,
    }
    simulation.wait_told = tells[variant]
    if isinstance(scenario, Recovery):
        simulation.ends = [scenario.cooldown, scenario.cooldown]
        simulation.outcome.first_end = scenario.cooldown
    return simulation.run(scenario.arrivals(simulation.rng))


GRID = [
    Overload(capacity=capacity, burst=burst, cooldown=cooldown)
    for capacity in (10, 20, 40)
    for burst in (20, 40, 80)
    for cooldown in (5, 10, 30)
]
SEEDS = tuple(range(20))


def mean_share(scenario: Overload, variant: str, seeds: tuple[int, ...] = SEEDS) -> float:
    return statistics.mean(simulate(scenario, variant, seed).share_served for seed in seeds)


def main() -> int:
    print("capacity burst cooldown | share served: " + " | ".join(VARIANTS))
    for cell in [Overload(), *GRID]:
        shares = [mean_share(cell, variant) for variant in VARIANTS]
        lost = "" if shares[-1] >= max(shares[:-1]) - 0.005 else "  <- not the best"
        row = " ".join(f"{share:9.1%}" for share in shares)
        print(f"{cell.capacity:8} {cell.burst:5} {cell.cooldown:8} | {row}{lost}")
    for clients, cooldown in itertools.product((30, 200, 5000), (12, 60)):
        for variant in VARIANTS:
            outcome = simulate(Recovery(clients, cooldown), variant, 1)
            late = "  ".join(f"{seconds:6.2f}" for seconds in outcome.lateness())
            print(
                f"recovery {clients:5} clients, cooldown {cooldown:3}: {variant:11} "
                f"served {outcome.share_served:6.1%}, {outcome.requests_per_call:.2f} requests, "
                f"late {late}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
