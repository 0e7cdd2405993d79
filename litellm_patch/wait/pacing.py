"""Give the clients that a cooling group refused different moments to return.

If all of them were told the end of the cooldown they would return in one instant, and throw
the group straight back into it. Each is given a place in a queue instead, as a GCRA (the leaky
bucket of ITU-T I.371) gives out theoretical arrival times: slowly at first, since nothing is
known of what the provider takes, and faster the longer the queue lasts (`learned_pace.py`).

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
import random
from collections import OrderedDict
from dataclasses import dataclass

from . import recent
from .forks import Lock
from .known_rate import FASTEST, KnownRate, bounded, start, usable
from .learned_pace import LearnedPace
from .shared_part import SharedPart, SharedPlace

NOT_ZERO = 1e-9
"""Clients per second; a rate may be too small for its inverse to be a number."""

BEFORE_THE_END = 0.05
"""The last part of a wait, in which no client is told to ask again: a busy proxy may let it in just
after the end instead, where it takes another client's place or closes the group."""

HONOURED = 60.0
"""Seconds. openai-python up to 2.51, openai-node and others ignore a longer wait and retry
within a second."""

GOLDEN = (math.sqrt(5) - 1) / 2
"""The multiples of the golden ratio, without their whole part, lie evenly between 0 and 1
however many there are."""


@dataclass
class _Queue:
    pace: LearnedPace
    next_arrival: float = -math.inf  # GCRA's theoretical arrival time of the next client
    without_place: int = 0
    shared: SharedPart | None = None


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
        self.fixed: float | None = usable(rate)
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
            begins = queue.pace.begins(now, ready_at, cooldown)
            queue.pace.refused(now, ready_at, self._part(queue))
            if begins:
                queue.next_arrival = ready_at + self._phase(self._rate(queue, known))
            earliest = max(now, ready_at)
            place = max(queue.next_arrival, earliest)
            if place > now + honoured:
                return _without_place(queue, place, now, ready_at, honoured)
            queue.next_arrival = place + 1 / self._rate(queue, known, place - earliest)
            queue.pace.gave(place)
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
            pace, shared = queue.pace, queue.shared
            queue.shared = SharedPart(place) if shared is None else shared.after(place)
            pace.rate = bounded(usable(place.rate) or pace.rate)
            pace.ready_at = max(pace.ready_at, ready_at)
            queue.next_arrival = max(place.at, pace.ready_at) + 1 / self._rate(queue, known)
            pace.last_place = max(pace.last_place, place.at)

    def rate(self, group: str) -> float | None:
        """Clients per second that the group's queue begins with; None for an unknown group."""
        with _lock:
            queue = self._queues.get(group)
            return queue.pace.rate if queue is not None else None

    def __len__(self) -> int:
        return len(self._queues)

    def _queue(self, group: str, known: KnownRate) -> _Queue:
        queue = self._queues.get(group)
        if queue is None:
            queue = _Queue(LearnedPace(start(known)))
        return recent.keep(self._queues, group, queue, self._most_groups)

    def _rate(self, queue: _Queue, known: KnownRate, after: float = 0.0) -> float:
        """This worker's share of the rate, for a client with so many seconds of queue before it."""
        rate = self.fixed
        if rate is None:
            rate = min(queue.pace.at(after), usable(known.limit) or FASTEST)
        return max(rate * self._part(queue), NOT_ZERO)

    def _part(self, queue: _Queue) -> float:
        return 1 / self._workers if queue.shared is None else queue.shared.part

    def _phase(self, rate: float) -> float:
        return self._random.random() * min(1 / rate, 1.0) if self._workers > 1 else 0.0


_lock = Lock()
"""Of all pacers; a process has one."""

_RANDOM = random.Random()


def _without_place(
    queue: _Queue, place: float, now: float, ready_at: float, honoured: float
) -> float:
    """A moment for a client whose `place` is later than it honours, spread evenly.

    Where it could be told `place` in the second half of what is left of the cooldown, it comes
    back then. Where it could not, the queue is full, and it goes between those who have places.
    """
    queue.without_place += 1
    part = queue.without_place * GOLDEN % 1
    end = now + honoured
    if ready_at >= end or place - honoured < (now + ready_at) / 2:
        end = min(end, ready_at - BEFORE_THE_END * (ready_at - now))
        earliest = (now + end) / 2  # the later it comes back, the more room is behind the end
    else:
        earliest = max(now, ready_at)
    return earliest + (end - earliest) * part
