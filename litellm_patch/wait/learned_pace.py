"""What a queue learns from being cut off.

What a group can take is learned from refusals alone, since nothing of ours may run on a request
that succeeds. A new cooldown that begins while places are still to come cuts the queue off: the
queue was too fast, so the next one begins slower than this one was when it was cut off. But if a
crowd is refused in that moment, many more clients than the queue brought back and than come
usually, then a burst of new calls closed the group. A queue that had proven its rate by then
becomes faster, for a faster one would have used the places that were cut off. One that was cut off
soon after its begin is not slowed down for that, or a little: where the length of the cooldown is a
multiple of the time between two bursts of calls, each burst meets a group that has just returned,
and queues that were slowed down for each would end up giving hardly any places. A queue that came
to its end brings a slow rate back towards the start, and teaches nothing else.

Until its first relapse a group may be a fast one, as a connection in TCP's slow start: its queues
become faster sooner, and the sooner the shorter the cooldown is, since that is what a relapse would
cost.

Times are seconds on one monotonic clock; rates are clients per second. The constants were chosen
with tests/bench/random_overloads.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .known_rate import START, bounded, usable

DOUBLES, STEEPNESS = 40.0, 3
"""Seconds after which the queue of a group that relapsed is twice as fast as it began, and the
power of time by which it becomes faster: a provider that it would overload has refused by then, and
a long queue is over sooner."""

UNTRIED_DOUBLES, UNTRIED_SOONEST, UNTRIED_LATEST = 0.5, 5.0, 30.0
"""The part of the cooldown's length, and the fewest and most seconds, after which the queue of a
group that never relapsed is twice as fast. (Chosen on the benchmark's grid: over random overloads
they make no difference that can be told from chance.)"""

SLOWER, FASTER = 0.6, 1.3

RELAPSE_WITHIN = 1.0
"""Seconds after the last place in which a new cooldown still cuts a queue off: a provider
takes a moment to refuse, and LiteLLM to record it."""

PROVEN = 4.0
"""Seconds that a queue which is too fast for a provider does not survive: what the provider
had saved up is spent by then. If the group relapses later, new calls did it."""

AT_ONCE, CROWD = 0.25, 3.0
"""Seconds before the end of a cooldown and after the begin of the next one, and how many times
what is usual in them has to be refused for a burst of new calls to have caused it. (A busy proxy
has let in the rest of a burst before it hears that the provider refuses.)"""

SAME_END = 0.25
"""Seconds. Two ends of a cooldown that differ by less are one, computed at two moments."""

EXCUSED = 8.0
"""Clients per second up to which such a burst does not slow a queue down."""


@dataclass
class LearnedPace:
    """How fast the queue of one group is, and what decides that.

    Attributes:
        rate: clients per second that the queue begins with.
        doubles: seconds after which it is twice as fast.
        relapsed: whether the group has closed again soon after it returned.
        ready_at: the end of the cooldown that is waited for.
        began: when that cooldown began.
        last_place: the latest place behind it.
        places: how many places were given since it began.
        flow: places given per second before that, which is what is usual.
        at_the_end: how many clients were refused just before `ready_at`.
    """

    rate: float
    doubles: float = DOUBLES
    relapsed: bool = False
    ready_at: float = -math.inf
    began: float = -math.inf
    last_place: float = -math.inf
    places: int = 0
    flow: float = 0.0
    at_the_end: int = 0
    _suspect: _Suspect | None = None

    def at(self, after: float) -> float:
        """Clients per second for one with so many seconds of queue before it."""
        return self.rate * (1 + (after / self.doubles) ** (STEEPNESS if self.relapsed else 1))

    def begins(self, now: float, ready_at: float, cooldown: float | None) -> bool:
        """Whether `ready_at` is the end of a new cooldown; if so, learn what its begin teaches.

        Args:
            cooldown: how long it was to last, in seconds, if known.
        """
        # An end that has passed says nothing about when the group is ready.
        if ready_at <= now or abs(ready_at - self.ready_at) <= SAME_END:
            return False
        length = usable(cooldown)
        began = now if length is None else self._began(now, ready_at - length)
        if length is not None and began < self.ready_at < ready_at + length:
            # Another proxy learned late of the cooldown that is waited for: it was refused by the
            # provider itself, so that its own ends later. One queue for all waits for both.
            self.ready_at = max(self.ready_at, ready_at)
            return False
        self._begin(ready_at, began)
        return True

    def refused(self, now: float, ready_at: float, part: float) -> None:
        """Count a client that is refused; take back what a relapse taught if it was a crowd's.

        Args:
            part: which part of the clients this process sees.
        """
        suspect = self._suspect
        if suspect is not None:
            suspect.refused += 1
            usual = AT_ONCE * max(suspect.pace * part, self.flow)
            if now > suspect.until:
                self._suspect = None
            elif suspect.refused > max(2.0, CROWD * usual):
                self.rate = max(self.rate, bounded(suspect.acquitted))
                self._suspect = None
        if 0 < ready_at - now <= AT_ONCE:
            self.at_the_end += 1

    def gave(self, place: float) -> None:
        """Count a place."""
        self.last_place = max(self.last_place, place)
        self.places += 1

    def _began(self, now: float, began: float) -> float:
        """When a cooldown began, by its record; `now` is the latest that it can be."""
        # Before the last one's end it cannot have begun: LiteLLM recorded another time than it
        # kept (LiteLLM issue #40130).
        return min(began, now) if began >= self.ready_at else now

    def _begin(self, ready_at: float, began: float) -> None:
        crowd, self.at_the_end, self._suspect = self.at_the_end, 0, None
        lasted = began - self.began
        self.flow = self.places / lasted if lasted > 0 else 0.0
        self.places, self.began = 0, began
        had_ended = self.ready_at <= began  # so its end was before `ready_at`, too
        if had_ended and self.last_place > -math.inf:
            self._learn(began, crowd)
        self.doubles = DOUBLES
        if not self.relapsed:
            sooner = UNTRIED_DOUBLES * (ready_at - began)
            self.doubles = min(max(UNTRIED_SOONEST, sooner), UNTRIED_LATEST)
        self.ready_at, self.last_place = ready_at, -math.inf

    def _learn(self, relapse: float, crowd: int) -> None:
        """Learn from the end of a queue: from a `relapse`, if that came before its last place."""
        after = relapse - self.ready_at
        if relapse < self.last_place + RELAPSE_WITHIN:
            early = after < PROVEN
            pace = self.at(max(0.0, min(after, self.last_place - self.ready_at)))
            acquitted = min(self.rate, EXCUSED) if early else self.rate * FASTER
            self._suspect = _Suspect(pace, acquitted, relapse + AT_ONCE, crowd)
            self.rate = bounded(pace * SLOWER)
            self.relapsed = self.relapsed or early
        elif self.rate < START:
            self.rate = bounded(self.rate * FASTER)


@dataclass
class _Suspect:
    """A queue that was cut off.

    Attributes:
        pace: clients per second that it gave when it was cut off.
        acquitted: the rate that the next one has if a burst did it.
        until: when it is known whether many come at once.
        refused: how many came with the relapse until now, and just before the group returned.
    """

    pace: float
    acquitted: float
    until: float
    refused: int
