"""What is known of the deployments that LiteLLM's router refused a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

from .pacing import KnownRate, SharedPlace
from .shared_pacing import AskForPlace, Waiting


def nothing_known() -> KnownRate:
    """The rate of a group of which nothing is known."""
    return KnownRate()


def nobody_shares(waiting: Waiting) -> SharedPlace | None:
    """The place in a queue that no other process has a part in: there is none."""
    return None


@dataclass(frozen=True)
class Cooling:
    """The deployments that could have served a refused request, as they were at the refusal.

    Attributes:
        ready_at: `time.monotonic()` in seconds at which the first of them may be used again;
            None where none of them is cooling, so that no wait would come true.
        queue: names them. Requests that wait for the same deployments stand in one queue,
            by whatever name they asked for them.
        cooldown: how long the cooldown of the first was to last, in seconds, if known.
        rate: reads what is known about the rate that they take.
        honoured: the longest wait that the client acts on, in seconds; None where it is unknown.
        shared_place: asks the queue that all proxies share.
    """

    ready_at: float | None
    queue: str
    cooldown: float | None = None
    rate: Callable[[], KnownRate] = nothing_known
    honoured: float | None = None
    shared_place: AskForPlace = nobody_shares

    def __deepcopy__(self, memo: object) -> Cooling:
        """Itself: its functions know LiteLLM's router, which no copy of an exception may copy."""
        return self

    def __reduce__(self) -> tuple[object, ...]:
        """Without its functions, so that an exception that could be pickled still can be."""
        return Cooling, (self.ready_at, self.queue, self.cooldown, nothing_known, self.honoured)
