"""What a proxy process asks its Redis, with LiteLLM's own client."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from litellm_patch.seams.record.redis_questions import Questions
from litellm_patch.seams.record.shared_expiry import SharedExpiries
from litellm_patch.seams.record.shared_queue import SharedQueues
from litellm_patch.wait.known_rate import KnownRate
from litellm_patch.wait.shared_pacing import Waiting

KEY = "deployment:one:cooldown"


def cache_of(port: int, **settings: Any) -> Any:
    """LiteLLM's own, as its router makes it."""
    from litellm.caching.redis_cache import RedisCache

    return RedisCache(host="127.0.0.1", port=port, **settings)


@dataclass
class Process:
    """What one proxy process asks its Redis.

    Attributes:
        reports: whether it tells Redis of the clients that it gave places by itself. (How many
            those are is by chance on a busy machine.)
    """

    redis: Any
    reports: bool = False

    def __post_init__(self) -> None:
        self.expiries, self.queues, self._records = SharedExpiries(), SharedQueues(), 0
        self.began = time.monotonic()

    def seconds(self) -> float | None:
        """Of a cooldown that was not asked for before."""
        self._records += 1
        return self.expiries.seconds(self.redis, KEY, float(self._records))

    def place(self, name: str = "queue") -> float | None:
        """Seconds after `began` when a client may return whose group is ready 30 s after it."""
        if not self.reports:
            self.queues._own.clear()
        waiting = Waiting(self.began + 30, 40.0, 1e6, KnownRate(), fixed=2.0)
        place = self.queues.place(self.redis, name, waiting)
        return None if place is None else place.at - self.began

    @property
    def questions(self) -> tuple[Questions, Questions]:
        return self.expiries.questions, self.queues.questions
