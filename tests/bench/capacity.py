"""A stand-in provider that takes only so much."""

from __future__ import annotations

import time

from litellm_patch.tools.lab.stand_in import Refuse, StandIn


class Capacity:
    """A token bucket.

    Args:
        per_second: requests that it takes each second.
        saved: seconds' worth of them that it saves up while it is idle.
    """

    def __init__(self, per_second: float, saved: float) -> None:
        self._per_second = per_second
        self._tokens = self._most_tokens = max(1.0, per_second * saved)
        self._filled_at = time.monotonic()

    def take(self, now: float) -> bool:
        """Whether a request at `now`, a `time.monotonic()`, finds a token, which it then uses."""
        self._tokens += (now - self._filled_at) * self._per_second
        self._tokens = min(self._tokens, self._most_tokens)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def limited_to(capacity: Capacity) -> type[StandIn]:
    """A stand-in that refuses what is beyond a capacity, which all of its models share."""

    class Limited(StandIn):
        def refusal(self, model: str, now: float) -> Refuse | None:
            refuse = super().refusal(model, now)
            return refuse if refuse is not None or capacity.take(now) else Refuse()

    return Limited
