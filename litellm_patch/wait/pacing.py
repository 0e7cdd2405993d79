"""Give the clients that a cooling group refused different moments to return.

If all of them were told the end of the cooldown they would return in one instant, and throw
the group straight back into it. Each is given a place in a queue instead, as a GCRA (the leaky
bucket of ITU-T I.371) gives out theoretical arrival times: so many a second, the first ones
faster.

What the group can take is learned from refusals alone, since nothing of ours may run on a
request that succeeds. A new cooldown that begins soon after the end of the last one, while
places are still to come, is a *relapse*: the queue was too fast, so the next one is slower.
One that begins later shows that the recovery *held*, so the next queue is faster.

Clients are anonymous. One that returns early, or is refused again, simply gets another place;
a place whose moment has passed is gone. Several workers each see a part of the clients and
know nothing of each other: each gives out its share (rate divided by the number of workers)
and begins its queue at a random fraction of an interval, at most a second, so that equal
queues do not step in time. Where the number is unknown the queues together are too fast at
first, relapse, and become slower by themselves.

Times are seconds on one monotonic clock that the caller reads; rates are clients per second.
"""

from __future__ import annotations

import math
import random
import threading
from collections import OrderedDict
from dataclasses import dataclass

START = 15.0
"""Where nothing is known. With `HEAD` it brings 30 clients back within 2 s. (This and
the constants below were chosen with tests/bench/simulate.py.)"""

SHARE_OF_LIMIT = 0.5
"""The part of a configured limit that a queue begins with: new calls need some of it, too."""

SLOWEST, FASTEST = 1.0, 500.0
"""Bounds of every rate. Operators also use rpm as a mere weight of deployments; a queue that
is slower than one a second would put few clients behind what SDKs honour."""

HEAD, HEAD_FACTOR = 0.75, 1.25
"""The first 0.75 s worth of clients returns a quarter faster, so that a few clients hardly
queue; not in one instant, since a provider may have saved up less than that. A group that has
relapsed gets no such head start until its rate is back at the beginning."""

SLOWER, FASTER = 0.6, 1.15

RELAPSE_WITHIN = 1.0
"""Seconds after the last place in which a new cooldown still counts as a relapse: a provider
takes a moment to refuse, and LiteLLM to record it."""

PROVEN = 4.0
"""Seconds that a queue which is too fast for a provider does not survive: what the provider
had saved up is spent by then. If the group relapses later, new calls did it, and a slower
queue would only last longer and meet more of them."""

SAME_END = 0.25
"""Seconds. Two ends of a cooldown that differ by less are one, computed at two moments."""

HONOURED = 60.0
"""Seconds. openai-python below 3.0, openai-node and others ignore a longer wait and retry
within a second, so places never push a wait that they would honour beyond it."""

LONGEST_QUEUE = 60.0
"""Seconds after the cooldown's end, for clients that must wait longer than `HONOURED` anyway."""


@dataclass(frozen=True)
class KnownRate:
    """What is known about the rate that a model group takes, in requests per second.

    Attributes:
        limit: sum of the rpm limits that the operator configured: never faster than this.
        served: what the router counted as served before the cooldown: not the most that the
            group can take, but it took this much.
    """

    limit: float | None = None
    served: float | None = None


@dataclass
class _Queue:
    rate: float
    ready_at: float = -math.inf
    next_arrival: float = -math.inf  # GCRA's theoretical arrival time of the next client
    last_place: float = -math.inf
    placed: int = 0


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
        fixed = _usable(rate)
        self._fixed = None if fixed is None else _bounded(fixed)
        self._workers = max(1, workers)
        self._most_groups = max(1, groups)
        self._random = random if random is not None else _RANDOM
        self._queues: OrderedDict[str, _Queue] = OrderedDict()
        self._lock = threading.Lock()

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

        Never before `ready_at` or `now`. Where a time is no finite number, `ready_at` itself.

        Args:
            ready_at: the moment at which the group's cooldown ends.
            cooldown: how long it was to last, in seconds, if known. It tells when the cooldown
                began, which a worker that gets few requests notices late.
            honoured: the longest wait, in seconds, that the client acts on.
        """
        if not (math.isfinite(now) and math.isfinite(ready_at)):
            return ready_at
        known = known if known is not None else KnownRate()
        with self._lock:
            queue = self._queue(group, known)
            # An end that has passed says nothing about when the group is ready.
            begins = ready_at > now and abs(ready_at - queue.ready_at) > SAME_END
            if begins:
                self._begin(queue, ready_at, _began(queue, now, ready_at, cooldown), known)
            rate, hurry = self._speed(queue, known)
            if begins:
                queue.next_arrival = ready_at + self._phase(rate)
            return _take_place(queue, max(now, ready_at), now + honoured, rate, hurry)

    def rate(self, group: str) -> float | None:
        """Clients per second that the group's queue has learned; None for an unknown group."""
        with self._lock:
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

    def _speed(self, queue: _Queue, known: KnownRate) -> tuple[float, float]:
        """This worker's share of the rate, and how much faster the first clients return."""
        if self._fixed is not None:
            return self._fixed / self._workers, 1.0
        limit = _usable(known.limit)
        most = FASTEST if limit is None else _bounded(limit)
        rate = min(queue.rate, most)
        share = rate / self._workers
        # Of many workers each has only one client in the head; the phases spread those.
        hurries = queue.rate >= _start(known) and share * HEAD >= 1
        return share, min(HEAD_FACTOR, most / rate) if hurries else 1.0

    def _begin(self, queue: _Queue, ready_at: float, began: float, known: KnownRate) -> None:
        """A cooldown with another end than the last one; learn, if that one had ended."""
        if queue.ready_at <= began and queue.ready_at < ready_at and queue.placed:
            relapsed = began < min(queue.last_place + RELAPSE_WITHIN, queue.ready_at + PROVEN)
            tested = queue.placed > queue.rate / self._workers  # a second's worth, or more
            if relapsed:
                queue.rate = _bounded(queue.rate * SLOWER)
            elif tested or queue.rate < _start(known):
                queue.rate = _bounded(queue.rate * FASTER)
        queue.ready_at = ready_at
        queue.last_place = -math.inf
        queue.placed = 0

    def _phase(self, rate: float) -> float:
        return self._random.random() * min(1 / rate, 1.0) if self._workers > 1 else 0.0


_RANDOM = random.Random()


def _began(queue: _Queue, now: float, ready_at: float, cooldown: float | None) -> float:
    """When the cooldown that ends at `ready_at` began; `now` is the latest that it can be."""
    length = _usable(cooldown)
    if length is None:
        return now
    began = ready_at - length
    # Before the last one's end it cannot have begun: LiteLLM recorded another time than it
    # kept (LiteLLM issue #40130).
    return min(began, now) if began >= queue.ready_at else now


def _take_place(
    queue: _Queue, earliest: float, honoured_until: float, rate: float, hurry: float
) -> float:
    arrival = max(queue.next_arrival, earliest)
    queue.next_arrival = arrival + 1 / rate
    behind = arrival - earliest
    place = earliest + behind - min(behind, HEAD) * (1 - 1 / hurry)
    latest = honoured_until if earliest <= honoured_until else earliest + LONGEST_QUEUE
    if place > latest:  # the queue is full: go round, evenly over the time that there is
        window = latest - earliest
        place = earliest + (place - earliest) % window if window > 0 else earliest
    queue.last_place = max(queue.last_place, place)
    queue.placed += 1
    return place


def _start(known: KnownRate) -> float:
    limit, served = _usable(known.limit), _usable(known.served)
    if limit is not None:
        return _bounded(limit * SHARE_OF_LIMIT)
    return _bounded(max(START, served or 0.0))


def _usable(rate: float | None) -> float | None:
    return rate if rate is not None and math.isfinite(rate) and rate > 0 else None


def _bounded(rate: float) -> float:
    return min(max(rate, SLOWEST), FASTEST)
