"""Give the clients that a cooling group refused different moments to return.

If all of them were told the end of the cooldown they would return in one instant, and throw
the group straight back into it. Each is given a place in a queue instead, as a GCRA (the leaky
bucket of ITU-T I.371) gives out theoretical arrival times: slowly at first, since nothing is
known of what the provider takes, and faster the longer the queue lasts.

What the group can take is learned from refusals alone, since nothing of ours may run on a
request that succeeds. A new cooldown that begins while places are still to come, soon after
the end of the last one, is a *relapse*: the queue was too fast, so the next one is slower. One
that begins later was the work of new calls, and the places that it cut off would have been
used by a faster queue, so the next one is faster. A queue that came to its end brings a slow
rate back towards the start, and teaches nothing else. A relapse before the queue had brought
many clients back may not be its work where many come at once: where the length of the cooldown
is a multiple of the time between two bursts of calls, each burst meets a group that has just
returned, and queues that were slowed down for each would end up giving hardly any places. So they
are slowed down for that a little at most.

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

START = 9.0
"""Where nothing is known. It brings 30 clients back within 4 s. (This and the constants below
were chosen with tests/bench/random_overloads.py.)"""

DOUBLES = 30.0
"""Seconds after which a queue is twice as fast as it began: a provider that it would overload
has refused by then, and a long queue is over sooner."""

UNTRIED_DOUBLES, UNTRIED_SOONEST = 0.5, 5.0
"""The part of the cooldown's length, and the fewest seconds, after which the queue of a group
that never relapsed is twice as fast. (Chosen on the benchmark's grid: over random overloads it
makes no difference that can be told from chance.)"""

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

FEW = 9.0
"""Clients. A queue that had brought back fewer before a relapse may not have caused it."""

AT_ONCE, CROWD = 0.25, 3.0
"""Seconds before the end of a cooldown and after the begin of the next one, and how many times
what the queue brings back in them has to be refused for a burst of new calls to have caused it. (A
busy proxy has let in the rest of a burst before it hears that the provider refuses.)"""

EXCUSED = 8.0
"""Clients per second below which such a burst does not slow a queue down."""

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


@dataclass
class _Suspect:
    """A queue that relapsed early.

    Attributes:
        rate: of the queue, before it was slowed down.
        until: when it is known whether many come at once.
        refused: how many came with the relapse until now, and just before the group returned.
    """

    rate: float
    until: float
    refused: int


@dataclass
class _Shared:
    """What this process asked the queue of all proxies for.

    Attributes:
        mine: places that it was given.
        others: places that others were given from then on.
        counted: all places that were given until its last one.
    """

    mine: float
    others: float
    counted: int

    @property
    def part(self) -> float:
        """The part of all refused clients that this process sees."""
        return self.mine / (self.mine + self.others)


@dataclass(frozen=True)
class SharedPlace:
    """A place that the queue of all proxies gave.

    Attributes:
        at: the moment at which the client should return.
        given: how many places it gave until then, this one included.
        rate: clients per second that it begins with.
    """

    at: float
    given: int
    rate: float


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
            queue.shared = _counted(queue.shared, place.given)
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
            queue = self._queues[group] = _Queue(rate=_start(known))
            while len(self._queues) > self._most_groups:
                self._queues.popitem(last=False)
        self._queues.move_to_end(group)
        return queue

    def _rate(self, queue: _Queue, known: KnownRate, after: float = 0.0) -> float:
        """This worker's share of the rate, for a client with so many seconds of queue before it."""
        rate = self.fixed
        if rate is None:
            most = _usable(known.limit) or FASTEST
            rate = min(queue.rate * (1 + after / queue.doubles), most)
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


def _counted(before: _Shared | None, given: int) -> _Shared:
    """What is known after one more place of the queue of all proxies, which then had `given`."""
    if before is None or given <= before.counted:  # that queue is a new one
        return _Shared(1.0, 0.0, given)
    # The older half of what was seen fades, since proxies come and go.
    faded = 0.5 if before.mine + before.others >= SEEN_AT_MOST else 1.0
    others = before.others + given - before.counted - 1
    return _Shared(before.mine * faded + 1, others * faded, given)


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
    had_ended = queue.ready_at <= began  # so its end was before `ready_at`, too
    if had_ended and queue.last_place > -math.inf:
        cut_off = began < queue.last_place + RELAPSE_WITHIN
        if cut_off and began < queue.ready_at + PROVEN:
            if (began - queue.ready_at) * queue.rate < FEW:
                queue.suspected = _Suspect(queue.rate, began + AT_ONCE, crowd)
            queue.rate, queue.relapsed = _bounded(queue.rate * SLOWER), True
        elif cut_off or queue.rate < START:
            queue.rate = _bounded(queue.rate * FASTER)
    queue.doubles = _doubles(queue, ready_at - began)
    queue.ready_at = ready_at
    queue.last_place = -math.inf


def _acquit(queue: _Queue, now: float, workers: int) -> None:
    """Take back what a relapse taught, if more clients come with it than the queue brings.

    Not more than to `EXCUSED`, for a fast queue may have had a part in it.
    """
    suspected = queue.suspected
    if suspected is None:
        return
    suspected.refused += 1
    if now > suspected.until:
        queue.suspected = None
    elif suspected.refused > max(2.0, CROWD * AT_ONCE * suspected.rate / workers):
        queue.rate = max(queue.rate, min(suspected.rate, EXCUSED))
        queue.suspected = None


def _doubles(queue: _Queue, cooldown: float) -> float:
    """After how many seconds the queue behind a cooldown of that length is twice as fast."""
    if queue.relapsed:
        return DOUBLES
    return min(max(UNTRIED_SOONEST, UNTRIED_DOUBLES * cooldown), DOUBLES)


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
        end = min(end, ready_at)
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
