"""What came of a run, real or simulated, and the figures that are read from it."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field


@dataclass
class Call:
    """One call of a client. Times are seconds after the run's beginning.

    Attributes:
        requests: when each of its requests was sent, and the status of the answer.
        served_at: when it got what it asked for; None if it failed.
    """

    began: float
    requests: list[tuple[float, int]] = field(default_factory=list)
    served_at: float | None = None

    @property
    def refused(self) -> bool:
        return any(status != 200 for _, status in self.requests)


@dataclass
class Outcome:
    """All calls of a run, and how often the provider refused while it lasted.

    Attributes:
        ready_at: end of the cooldown that a recovery begins with; None in an overload.
    """

    calls: list[Call] = field(default_factory=list)
    provider_refusals: int = 0
    ready_at: float | None = None

    @property
    def share_served(self) -> float:
        return _mean([call.served_at is not None for call in self.calls])

    @property
    def requests_per_call(self) -> float:
        return _mean([len(call.requests) for call in self.calls])

    def lateness(self) -> tuple[float, float, float] | None:
        """Median, 95th percentile and worst, in seconds after the cooldown's end."""
        if self.ready_at is None:
            return None
        late = sorted(
            call.served_at - self.ready_at
            for call in self.calls
            if call.refused and call.served_at is not None
        )
        if not late:
            return None
        return statistics.median(late), late[round(0.95 * (len(late) - 1))], late[-1]


def _mean(values: list[int] | list[bool]) -> float:
    return sum(values) / len(values) if values else 0.0
