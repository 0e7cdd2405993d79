"""Which part of the clients a process sees, by its places in the queue of all proxies."""

from __future__ import annotations

from dataclasses import dataclass

SEEN_AT_MOST = 500
"""Places of the queue of all proxies that tell a process which part of the clients it sees."""


@dataclass(frozen=True)
class SharedPlace:
    """A place that the queue of all proxies gave.

    Attributes:
        at: the moment at which the client should return.
        given: how many places it has given, this one included.
        mine: how many of them are this process'.
        rate: clients per second that it begins with.
    """

    at: float
    given: int
    mine: int
    rate: float


@dataclass(frozen=True)
class SharedPart:
    """Which part of the clients this process sees, by its last place in the queue of all.

    Attributes:
        last: that place.
        mine, given: how many were given of late.
    """

    last: SharedPlace
    mine: float = 1.0
    given: float = 1.0

    @property
    def part(self) -> float:
        return self.mine / max(self.given, self.mine)

    def after(self, place: SharedPlace) -> SharedPart:
        """The part of this process after one more of its places."""
        before = self.last
        if place.given <= before.given or place.mine <= before.mine:
            return SharedPart(place)  # that queue is a new one
        # What was seen long ago fades, since proxies come and go.
        kept = 0.5 if self.given >= SEEN_AT_MOST else 1.0
        return SharedPart(
            place,
            kept * self.mine + place.mine - before.mine,
            kept * self.given + place.given - before.given,
        )
