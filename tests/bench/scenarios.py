"""What the benchmark plays: who calls when, and what no proxy can do better than.

The simulation and the real runs share these, so that one can be checked against the other.
Times are seconds, rates are per second.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Union


@dataclass(frozen=True)
class Floor:
    """The physical bound beside each figure; None where there is none to compute."""

    share_served: float
    requests_per_call: float
    lateness: float | None


@dataclass(frozen=True)
class Overload:
    """Steady calls and bursts against a provider with a capacity (see capacity.py).

    Attributes:
        saved: seconds' worth of its capacity that the provider saves up while it is idle.
    """

    capacity: float = 20
    steady: float = 4
    burst: int = 30
    every: float = 15
    cooldown: float = 10
    length: float = 60
    saved: float = 0.25

    @property
    def name(self) -> str:
        name = f"overload-{self.capacity:g}-{self.burst}-{self.cooldown:g}"
        return name if self.length == Overload.length else f"{name}-{self.length:g}"

    @property
    def title(self) -> str:
        return (
            f"overload: capacity {self.capacity:g}/s, {self.steady:g} calls/s and {self.burst} "
            f"more every {self.every:g} s, cooldown {self.cooldown:g} s"
            + ("" if self.length == Overload.length else f", for {self.length:g} s")
        )

    @property
    def calls_per_second(self) -> float:
        return self.steady + self.burst / self.every

    @property
    def busy(self) -> float:
        """Seconds after which nobody calls any more, and the last call's cooldown is over."""
        return self.length + self.cooldown

    def arrivals(self, rng: random.Random) -> Iterator[float]:
        for number in range(int(self.length * self.steady)):
            yield (number + rng.random()) / self.steady
        for burst in range(int(self.length // self.every)):
            for _ in range(self.burst):
                yield burst * self.every + rng.random() * 0.2

    def floor(self) -> Floor:
        """The provider's capacity over the whole length, and what it had saved up."""
        calls = self.steady * self.length + self.burst * int(self.length // self.every)
        return Floor(min(1.0, self.capacity * (self.length + self.saved) / calls), 1.0, None)


@dataclass(frozen=True)
class Recovery:
    """Clients arrive while a group cools down; its provider is healthy, without a limit."""

    clients: int = 30
    cooldown: float = 60

    @property
    def name(self) -> str:
        return f"recovery-{self.clients}-{self.cooldown:g}"

    @property
    def title(self) -> str:
        return f"recovery: {self.clients} clients during a cooldown of {self.cooldown:g} s"

    @property
    def calls_per_second(self) -> float:
        """What two hundred clients amount to while they all return is more than their mean."""
        return self.clients / 16

    @property
    def busy(self) -> float:
        """Seconds after which everyone is back."""
        return self.cooldown + self.clients / 10

    def arrivals(self, rng: random.Random) -> Iterator[float]:
        """Evenly over the cooldown, but not in its last moments, where chance would decide."""
        for number in range(self.clients):
            yield (number + rng.random()) / self.clients * self.cooldown * 0.93

    def floor(self) -> Floor:
        """Each is refused once, since it arrives too early, and served at the cooldown's end."""
        return Floor(1.0, 2.0, 0.0)


Scenario = Union[Overload, Recovery]

RECOVERIES = [Recovery(clients, cooldown) for cooldown in (12, 60) for clients in (30, 200)]
GRID = [
    Overload(capacity=capacity, burst=burst, cooldown=cooldown)
    for capacity in (10, 20, 40)
    for burst in (20, 40, 80)
    for cooldown in (5, 10, 30)
]
LONG = [Overload(length=300, cooldown=cooldown) for cooldown in (30, 45, 60, 90)]
LONG += [Overload(length=300, cooldown=60, capacity=40, burst=60)]
LONG += [Overload(length=300, cooldown=45, capacity=10, burst=20, steady=2)]
SLOW_PROVIDER = Overload(capacity=15, steady=3, burst=25, cooldown=20)
FLEETS: list[Scenario] = [
    Overload(capacity=12, steady=3, burst=25, cooldown=10, length=90),
    Overload(capacity=10, burst=20, cooldown=5, length=90),
    Overload(length=90),
    Overload(capacity=20, burst=40, cooldown=20, length=90),
    Overload(capacity=15, steady=3, burst=25, cooldown=20, length=90),
    Overload(capacity=10, burst=20, cooldown=10, length=90),
    Overload(cooldown=30, length=90),
]
"""For several proxies."""
BY_NAME: dict[str, Scenario] = {
    one.name: one for one in (Overload(), *RECOVERIES, *GRID, *LONG, SLOW_PROVIDER, *FLEETS)
}
"""In the order in which they are shown."""
