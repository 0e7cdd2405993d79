"""Give the clients that a cooling group refused different moments to return.

If all of them were told the end of the cooldown they would return in one instant, and throw
the group straight back into it. Each is given a place in a queue instead, as a GCRA (the leaky
bucket of ITU-T I.371) gives out theoretical arrival times: slowly at first, since nothing is
known of what the provider takes, and faster the longer the queue lasts.

What the group can take is learned from refusals alone, since nothing of ours may run on a
request that succeeds. A new cooldown that begins while places are still to come cuts the queue off:
the queue was too fast, so the next one begins slower than this one was when it was cut off. But if
a crowd is refused in that moment, many more clients than the queue brought back and than come
usually, then a burst of new calls closed the group. A queue that had proven its rate by then
becomes faster, for a faster one would have used the places that were cut off. One that was cut off
soon after its begin is not slowed down for that, or a little: where the length of the cooldown is a
multiple of the time between two bursts of calls, each burst meets a group that has just returned,
and queues that were slowed down for each would end up giving hardly any places. A queue that came
to its end brings a slow rate back towards the start, and teaches nothing else.

Until its first relapse a group may be a fast one, as a connection in TCP's slow start: its
queues become faster sooner, and the sooner the shorter the cooldown is, since that is what a
relapse would cost.

Clients are anonymous. One that returns early, or is refused again, simply gets another place;
a place whose moment has passed is gone. Most clients ignore a wait that is too long for them,
so a client whose place would be too late gets none: it is told to come back before the
cooldown ends, at a moment of its own, and is given its place then.

Where proxies share a Redis the queue is there (`shared_pacing.py`), and this one takes its place
while Redis fails, or for a refusal that it does not answer in time. It then goes on behind the last
place that Redis gave, at the same rate, and gives out the part of all places that this process had
until then. Else several workers each see a part of the clients and know nothing of each
other: each gives out its share (rate divided by the number of workers) and begins its queue at a
random fraction of an interval, at most a second, so that equal queues do not step in time. Where
the number is unknown the queues together are too fast at first, relapse, and become slower.

Times are seconds on one monotonic clock that the caller reads; rates are clients per second.
"""

from __future__ import annotations

import math
import os
import random
import threading
from collections import OrderedDict
from dataclasses import dataclass

from . import recent

START = 9.0
"""Where nothing is known. It brings 30 clients back within 4 s. (This and the constants below
were chosen with tests/bench/random_overloads.py.)"""

DOUBLES, STEEPNESS = 40.0, 3
"""Seconds after which the queue of a group that relapsed is twice as fast as it began, and the
power of time by which it becomes faster: a provider that it would overload has refused by then, and
a long queue is over sooner."""

UNTRIED_DOUBLES, UNTRIED_SOONEST, UNTRIED_LATEST = 0.5, 5.0, 30.0
"""The part of the cooldown's length, and the fewest and most seconds, after which the queue of a
group that never relapsed is twice as fast. (Chosen on the benchmark's grid: over random overloads
they make no difference that can be told from chance.)"""

SHARE_OF_LIMIT = 0.5
"""The part of a configured limit that a queue begins with: new calls need some of it, too."""

SLOWEST, FASTEST = 1.0, 500.0
"""Bounds of what is learned. A slower queue would put few clients behind what SDKs honour."""

_NOT_ZERO = 1e-9
"""Clients per second; a rate may be too small for its inverse to be a number."""

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

EXCUSED = 8.0
"""Clients per second up to which such a burst does not slow a queue down."""

BEFORE_THE_END = 0.05
"""The last part of a wait, in which no client is told to ask again: a busy proxy may let it in just
after the end instead, where it takes another client's place or closes the group."""

SAME_END = 0.25
"""Seconds. Two ends of a cooldown that differ by less are one, computed at two moments."""

SEEN_AT_MOST = 500
"""Places of the queue of all proxies that tell a process which part of the clients it sees."""

HONOURED = 60.0
"""Seconds. openai-python up to 2.51, openai-node and others ignore a longer wait and retry
within a second."""

_GOLDEN = (math.sqrt(5) - 1) / 2
"""The multiples of the golden ratio, without their whole part, lie evenly between 0 and 1
however many there are."""


@dataclass(frozen=True)
class KnownRate:
    """What is known about the rate that a model group takes, in requests per second.

    Attributes:
        limit: sum of the rpm limits that the operator configured: never faster than this, but
            where more clients wait than could then be told a wait that they honour.
        served: what the router counted as served before the cooldown: not the most that the
            group can take, but it took this much.
    """

    limit: float | None = None
    served: float | None = None


@dataclass
class _Queue:
    rate: float
    doubles: float = DOUBLES
    relapsed: bool = False
    ready_at: float = -math.inf
    next_arrival: float = -math.inf  # GCRA's theoretical arrival time of the next client
    last_place: float = -math.inf
    without_place: int = 0
    at_the_end: int = 0  # clients that were refused just before `ready_at`
    shared: _Shared | None = None
    suspected: _Suspect | None = None
    began: float = -math.inf  # when the cooldown did that is waited for
    places: int = 0  # given since then
    flow: float = 0.0  # places given per second before that: what is usual


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
class _Shared:
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


class Pacer:
    """Queues of waiting clients, one for each model group. Safe under threads; never blocks long.

    Args:
        rate: clients per second as the operator decided it; None, or what is no rate, means
            to learn it.
        workers: how many processes like this one share the clients.
        groups: how many groups are remembered; the least recently refused is forgotten.
        random: gives the workers' queues their phase.
    """

    def __init__(
        self,
        rate: float | None = None,
        workers: int = 1,
        groups: int = 1000,
        random: random.Random | None = None,
    ) -> None:
        self.fixed: float | None = _usable(rate)
        """Clients per second as the operator decided it; None means to learn it."""
        self._workers = max(1, workers)
        self._most_groups = max(1, groups)
        self._random = random if random is not None else _RANDOM
        self._queues: OrderedDict[str, _Queue] = OrderedDict()

    def place(
        self,
        group: str,
        now: float,
        ready_at: float,
        known: KnownRate | None = None,
        cooldown: float | None = None,
        honoured: float = HONOURED,
    ) -> float:
        """The moment at which a client that is refused now should return.

        Its place, which is never before `ready_at` or `now`; or, where that is more than
        `honoured` from now and coming back earlier helps, a moment before `ready_at` at which
        it is to ask for its place again. Where a time is no finite number, `ready_at` itself.

        Args:
            ready_at: the moment at which the group's cooldown ends.
            cooldown: how long it was to last, in seconds, if known. It tells when the cooldown
                began, which a worker that gets few requests notices late.
            honoured: the longest wait, in seconds, that this client acts on.
        """
        if not (math.isfinite(now) and math.isfinite(ready_at)):
            return ready_at
        known = known if known is not None else KnownRate()
        honoured = honoured if honoured > 0 else HONOURED
        with _lock:
            queue = self._queue(group, known)
            # An end that has passed says nothing about when the group is ready.
            begins = ready_at > now and abs(ready_at - queue.ready_at) > SAME_END
            if begins:
                began = _began(queue, now, ready_at, cooldown)
                begins = not _seen_late(queue, ready_at, began, cooldown)
                if begins:
                    _begin(queue, ready_at, began)
            _acquit(queue, now, self._workers)
            if 0 < ready_at - now <= AT_ONCE:
                queue.at_the_end += 1
            rate = self._rate(queue, known)
            if begins:
                queue.next_arrival = ready_at + self._phase(rate)
            earliest = max(now, ready_at)
            place = max(queue.next_arrival, earliest)
            if place > now + honoured:
                return _without_place(queue, place, now, ready_at, honoured)
            queue.next_arrival = place + 1 / self._rate(queue, known, place - earliest)
            queue.last_place = max(queue.last_place, place)
            queue.places += 1
            return place

    def follow(
        self, group: str, ready_at: float, place: SharedPlace, known: KnownRate | None = None
    ) -> None:
        """Go on behind a `place` that the queue of all proxies gave, where that fails later."""
        if not (math.isfinite(place.at) and math.isfinite(ready_at)):
            return
        known = known if known is not None else KnownRate()
        with _lock:
            queue = self._queue(group, known)
            queue.shared = _counted(queue.shared, place)
            queue.rate = _bounded(_usable(place.rate) or queue.rate)
            queue.ready_at = max(queue.ready_at, ready_at)
            queue.next_arrival = max(place.at, queue.ready_at) + 1 / self._rate(queue, known)
            queue.last_place = max(queue.last_place, place.at)

    def rate(self, group: str) -> float | None:
        """Clients per second that the group's queue begins with; None for an unknown group."""
        with _lock:
            queue = self._queues.get(group)
            return queue.rate if queue is not None else None

    def __len__(self) -> int:
        return len(self._queues)

    def _queue(self, group: str, known: KnownRate) -> _Queue:
        queue = self._queues.get(group)
        if queue is None:
            queue = _Queue(rate=_start(known))
        return recent.keep(self._queues, group, queue, self._most_groups)

    def _rate(self, queue: _Queue, known: KnownRate, after: float = 0.0) -> float:
        """This worker's share of the rate, for a client with so many seconds of queue before it."""
        rate = self.fixed
        if rate is None:
            most = _usable(known.limit) or FASTEST
            rate = min(_pace(queue, after), most)
        part = 1 / self._workers if queue.shared is None else queue.shared.part
        return max(rate * part, _NOT_ZERO)

    def _phase(self, rate: float) -> float:
        return self._random.random() * min(1 / rate, 1.0) if self._workers > 1 else 0.0


_lock = threading.Lock()
"""Of all pacers; a process has one."""


def _forked() -> None:
    """In a child: the thread that held the lock may not exist here."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)

_RANDOM = random.Random()


def _counted(before: _Shared | None, place: SharedPlace) -> _Shared:
    if before is None or place.given <= before.last.given or place.mine <= before.last.mine:
        return _Shared(place)  # that queue is a new one
    # What was seen long ago fades, since proxies come and go.
    kept = 0.5 if before.given >= SEEN_AT_MOST else 1.0
    return _Shared(
        place,
        kept * before.mine + place.mine - before.last.mine,
        kept * before.given + place.given - before.last.given,
    )


def _began(queue: _Queue, now: float, ready_at: float, cooldown: float | None) -> float:
    """When the cooldown that ends at `ready_at` began; `now` is the latest that it can be."""
    length = _usable(cooldown)
    if length is None:
        return now
    began = ready_at - length
    # Before the last one's end it cannot have begun: LiteLLM recorded another time than it
    # kept (LiteLLM issue #40130).
    return min(began, now) if began >= queue.ready_at else now


def _seen_late(queue: _Queue, ready_at: float, began: float, cooldown: float | None) -> bool:
    """Whether an end is that of the cooldown which is waited for, as another proxy saw it.

    A proxy that learns late of another's cooldown is refused by the provider itself, so that
    its own ends later. Where one queue is there for all, it goes on behind the later end.
    """
    length = _usable(cooldown)
    late = length is not None and began < queue.ready_at < ready_at + length
    if late:
        queue.ready_at = max(queue.ready_at, ready_at)
    return late


def _begin(queue: _Queue, ready_at: float, began: float) -> None:
    """A cooldown with another end than the last one; learn, if that one had ended."""
    crowd, queue.at_the_end, queue.suspected = queue.at_the_end, 0, None
    lasted = began - queue.began
    queue.flow = queue.places / lasted if lasted > 0 else 0.0
    queue.places, queue.began = 0, began
    had_ended = queue.ready_at <= began  # so its end was before `ready_at`, too
    if had_ended and queue.last_place > -math.inf:
        after = began - queue.ready_at
        if began < queue.last_place + RELAPSE_WITHIN:
            early = after < PROVEN
            pace = _pace(queue, max(0.0, min(after, queue.last_place - queue.ready_at)))
            acquitted = min(queue.rate, EXCUSED) if early else queue.rate * FASTER
            queue.suspected = _Suspect(pace, acquitted, began + AT_ONCE, crowd)
            queue.rate = _bounded(pace * SLOWER)
            queue.relapsed = queue.relapsed or early
        elif queue.rate < START:
            queue.rate = _bounded(queue.rate * FASTER)
    queue.doubles = _doubles(queue, ready_at - began)
    queue.ready_at = ready_at
    queue.last_place = -math.inf


def _acquit(queue: _Queue, now: float, workers: int) -> None:
    """Take back what a relapse taught, if more clients come with it than usual."""
    suspected = queue.suspected
    if suspected is None:
        return
    suspected.refused += 1
    usual = AT_ONCE * max(suspected.pace / workers, queue.flow)
    if now > suspected.until:
        queue.suspected = None
    elif suspected.refused > max(2.0, CROWD * usual):
        queue.rate = max(queue.rate, _bounded(suspected.acquitted))
        queue.suspected = None


def _pace(queue: _Queue, after: float) -> float:
    """Clients per second for one with so many seconds of queue before it."""
    return queue.rate * (1 + (after / queue.doubles) ** (STEEPNESS if queue.relapsed else 1))


def _doubles(queue: _Queue, cooldown: float) -> float:
    """After how many seconds the queue behind a cooldown of that length is twice as fast."""
    if queue.relapsed:
        return DOUBLES
    return min(max(UNTRIED_SOONEST, UNTRIED_DOUBLES * cooldown), UNTRIED_LATEST)


def _without_place(
    queue: _Queue, place: float, now: float, ready_at: float, honoured: float
) -> float:
    """A moment for a client whose `place` is later than it honours, spread evenly.

    Where it could be told `place` in the second half of what is left of the cooldown, it comes
    back then. Where it could not, the queue is full, and it goes between those who have places.
    """
    queue.without_place += 1
    part = queue.without_place * _GOLDEN % 1
    end = now + honoured
    if ready_at >= end or place - honoured < (now + ready_at) / 2:
        end = min(end, ready_at - BEFORE_THE_END * (ready_at - now))
        earliest = (now + end) / 2  # the later it comes back, the more room is behind the end
    else:
        earliest = max(now, ready_at)
    return earliest + (end - earliest) * part


def _start(known: KnownRate) -> float:
    limit, served = _usable(known.limit), _usable(known.served)
    if limit is not None:
        return _bounded(limit * SHARE_OF_LIMIT)
    return _bounded(max(START, served or 0.0))


def _usable(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) and number > 0 else None


def _bounded(rate: float) -> float:
    return min(max(rate, SLOWEST), FASTEST)
