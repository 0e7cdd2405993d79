"""What is known of the deployments that LiteLLM's router refused a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

from .known_rate import KnownRate
from .shared_pacing import AskForPlace


@dataclass(frozen=True)
class Cooling:
    """The deployments that could have served a refused request, as they were at the refusal.

    Attributes:
        ready_at: `time.monotonic()` in seconds at which the first of them may be used again;
            None if none of them is cooling, so that no wait would come true.
        queue: names them. All requests that wait for the same deployments stand in one queue,
            whatever model they asked for.
        cooldown: the full length of the first one's cooldown, in seconds, if known.
        rate: reads the rate that they can take, as far as it is known.
        honoured: the longest wait that the client acts on, in seconds; None where it is unknown.
        shared_place: asks for a place in the queue that all proxies share.
    """

    ready_at: float | None
    queue: str
    cooldown: float | None = None
    rate: Callable[[], KnownRate] = KnownRate
    honoured: float | None = None
    shared_place: AskForPlace | None = None

    def __deepcopy__(self, memo: object) -> Cooling:
        """Itself: its functions refer to LiteLLM's router, which must not be copied."""
        return self

    def __reduce__(self) -> tuple[object, ...]:
        """Without its functions: an exception that can be pickled must remain so."""
        return Cooling, (self.ready_at, self.queue, self.cooldown, KnownRate, self.honoured)
