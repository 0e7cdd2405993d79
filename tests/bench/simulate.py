"""The pacing module in simulated time: thousands of clients, a router, a provider, no processes.

The model is as small as the question allows. The provider is a token bucket. The proxy takes
one request after the other. Its router picks one of the deployments that are not cooling, cools
a deployment when the provider refuses it, and refuses by itself when all of them are cooling.
Clients behave as openai-python does.
Everything random comes from one seed.

    python tests/bench/simulate.py            # the grid and the recoveries as tables
"""

from __future__ import annotations

import heapq
import itertools
import random
import statistics
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Callable

from fleet import Memory
from runs import Call, Outcome
from scenarios import GRID, Overload, Recovery, Scenario

from litellm_patch.wait.known_rate import KnownRate
from litellm_patch.wait.pacing import Pacer

NO_HEADER, CONFIGURED, EXACT, PACED = "without", "native", "pacing-off", "as-shipped"
VARIANTS = (NO_HEADER, CONFIGURED, EXACT, PACED)
"""What a refused client is told: nothing, as LiteLLM's own header, the time left, its place.
They are called as the variants of the real runs that tell the same."""

LATENCY = 0.03  # seconds that the provider takes to answer
# Seconds that a proxy is busy with a request and with its answer. (On the two cores of the real
# runs; test_against_real_runs.py is what they are measured by.)
BEFORE, AFTER = 0.003, 0.008
NOT_BUSY = (0.0005, 0.0005)
"""As many workers, or proxies, that are never what clients wait for."""
RETRIES = 2  # of openai-python, by default
OLD_SDK, NEW_SDK = 60.0, 120.0
"""Seconds that openai-python honours up to 2.51 and from 2.53. Told more, the former retries
by its own backoff and the latter not at all."""
SEEDS = tuple(range(10))

Told = Callable[[float, float, int], "float | None"]


class Simulation:
    """One run.

    Args:
        capacity: of the provider, requests per second; None for a provider without a limit.
        saved: seconds' worth of it that the provider saves up.
        cooldown: of a deployment, in seconds.
        told: what a refused client is told, from the time, the cooldown's end, and which proxy
            refused it.
        deployments: how many there are. They share the provider's capacity.
        honoured: seconds of waiting that the clients honour.
        busy: seconds that a proxy is busy with a request, and with its answer.
        proxies: how many there are; chance picks one for each request.
        every: seconds between two questions of a proxy to Redis about a deployment; 0 where all
            of them know of a cooldown at once.
    """

    def __init__(
        self,
        capacity: float | None,
        saved: float,
        cooldown: float,
        told: Told,
        rng: random.Random,
        *,
        deployments: int = 2,
        honoured: float = OLD_SDK,
        busy: tuple[float, float] = (BEFORE, AFTER),
        proxies: int = 1,
        every: float = 0.0,
    ) -> None:
        redis = [0.0] * deployments if proxies > 1 else None
        self.memories = [Memory(deployments, redis, every) for _ in range(proxies)]
        self.outcome = Outcome()
        self._honoured, (self._before, self._afterwards) = honoured, busy
        self._capacity, self._cooldown, self._told, self._rng = capacity, cooldown, told, rng
        self._most_tokens = max(1.0, (capacity or 0.0) * saved)
        self._tokens, self._filled_at = self._most_tokens, 0.0
        self._free_at = [0.0] * proxies
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()

    def run(self, arrivals: Iterable[float]) -> Outcome:
        for began in arrivals:
            call = Call(began)
            self.outcome.calls.append(call)
            self._at(began, lambda now, call=call: self._arrive(now, call))
        while self._events:
            now, _, event = heapq.heappop(self._events)
            event(now)
        return self.outcome

    def _at(self, when: float, event: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (when, next(self._order), event))

    def _arrive(self, now: float, call: Call) -> None:
        proxy = self._rng.randrange(len(self.memories)) if len(self.memories) > 1 else 0
        self._after(self._before, now, proxy, lambda then: self._request(then, call, proxy, now))

    def _after(self, busy: float, now: float, proxy: int, step: Callable[[float], None]) -> None:
        """Take the step when the proxy, which does one thing after the other, has done it."""
        self._free_at[proxy] = max(now, self._free_at[proxy]) + busy
        self._at(self._free_at[proxy], step)

    def _request(self, now: float, call: Call, proxy: int, began: float) -> None:
        memory = self.memories[proxy]
        free = memory.free(now)
        if not free:
            call.requests.append((began, 429))
            told = self._told(now, memory.refuse(now), proxy)
            self._after(self._afterwards, now, proxy, lambda then: self._retry(then, call, told))
            return
        deployment = self._rng.choice(free)
        taken = self._provider_takes(now)
        call.requests.append((began, 200 if taken else 429))

        def answered(then: float) -> None:
            if taken:
                call.served_at = then
            else:
                self._refused(then, call, proxy, deployment)

        self._at(now + LATENCY, lambda then: self._after(self._afterwards, then, proxy, answered))

    def _refused(self, now: float, call: Call, proxy: int, deployment: int) -> None:
        self.outcome.provider_refusals += 1
        self.memories[proxy].cool(deployment, now, now + self._cooldown)
        self._retry(now, call, None)  # a provider's 429 carries no wait

    def _retry(self, now: float, call: Call, told: float | None) -> None:
        if len(call.requests) > RETRIES:
            return
        if told is not None and told > self._honoured > OLD_SDK:
            return
        if told is None or not 0 < told <= self._honoured:
            backoff = min(0.5 * 2 ** (len(call.requests) - 1), 8)
            told = backoff * (1 - 0.25 * self._rng.random())
        self._at(now + told, lambda then: self._arrive(then, call))

    def _provider_takes(self, now: float) -> bool:
        if self._capacity is None:
            return True
        saved = self._tokens + (now - self._filled_at) * self._capacity
        self._tokens, self._filled_at = min(self._most_tokens, saved), now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def simulate(
    scenario: Scenario,
    variant: str,
    seed: int,
    pacers: Sequence[Pacer] | None = None,
    known: KnownRate | None = None,
    *,
    deployments: int = 2,
    honoured: float = OLD_SDK,
    busy: tuple[float, float] = (BEFORE, AFTER),
    every: float = 0.0,
) -> Outcome:
    """Run one scenario with what one variant of the proxy tells its refused clients.

    Args:
        pacers: those of the proxies, of which chance picks one for each request; one that is
            there for all of them is theirs together.
        known: what the router knows about the group.
        deployments, honoured, busy, every: see `Simulation`. The queue knows what clients honour.
    """
    rng = random.Random(seed)
    pacers = pacers or [Pacer(random=rng)]
    tells: dict[str, Told] = {
        NO_HEADER: lambda now, ready_at, proxy: None,
        CONFIGURED: lambda now, ready_at, proxy: scenario.cooldown,
        EXACT: lambda now, ready_at, proxy: ready_at - now,
        PACED: lambda now, ready_at, proxy: (
            pacers[proxy].place("", now, ready_at, known, scenario.cooldown, honoured) - now
        ),
    }
    overload = isinstance(scenario, Overload)
    capacity, saved = (scenario.capacity, scenario.saved) if overload else (None, 0.0)
    simulation = Simulation(
        capacity,
        saved,
        scenario.cooldown,
        tells[variant],
        rng,
        deployments=deployments,
        honoured=honoured,
        busy=busy,
        proxies=len(pacers),
        every=every,
    )
    if isinstance(scenario, Recovery):
        for memory in simulation.memories:
            memory.ends = [scenario.cooldown] * deployments
        simulation.outcome.ready_at = scenario.cooldown
    return simulation.run(list(scenario.arrivals(rng)))


@cache
def mean_share(scenario: Overload, variant: str, honoured: float = OLD_SDK) -> float:
    """Share of calls served, the mean over `SEEDS`."""
    return statistics.mean(
        simulate(scenario, variant, seed, honoured=honoured).share_served for seed in SEEDS
    )


def main() -> int:
    print("share served:  capacity burst cooldown " + " ".join(f"{name:>11}" for name in VARIANTS))
    for cell in [Overload(), *GRID]:
        shares = [mean_share(cell, variant) for variant in VARIANTS]
        row = " ".join(f"{share:11.1%}" for share in shares)
        print(f"{cell.capacity:23} {cell.burst:5} {cell.cooldown:8} {row}")
    print("recovery: clients cooldown variant     served requests   late: median, p95, worst")
    for clients, cooldown in ((30, 12), (30, 60), (200, 12), (200, 60), (5000, 60)):
        for variant in VARIANTS:
            outcome = simulate(Recovery(clients, cooldown), variant, 1)
            late = " ".join(f"{seconds:7.2f}" for seconds in outcome.lateness() or ())
            print(
                f"{clients:17} {cooldown:8} {variant:10} {outcome.share_served:7.1%} "
                f"{outcome.requests_per_call:8.2f}         {late}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
