"""What several proxies on one Redis know of each other's cooldowns, in simulated time.

LiteLLM's proxies write each cooldown to Redis, and ask it only for what they do not have in
memory, and for one thing at most once in `EVERY` seconds. So a proxy goes on asking a provider
that another one is leaving alone, until it has asked Redis, or the provider has refused it, too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

EVERY = {"1.53.1": 10.0, "1.102.0": 1.0}
"""Seconds, by the first release that it is true of. (`redis_batch_cache_expiry` of the router's
cache; then of one that is the cooldowns' own, also in Rust.)"""


@dataclass
class Memory:
    """The cooldowns that one proxy knows of.

    Attributes:
        redis: when each deployment's record there ends; the same list for all proxies, or None.
        every: seconds between two questions to it about one deployment.
        ends: when each deployment may be used again, as far as this proxy knows.
    """

    deployments: int
    redis: list[float] | None = None
    every: float = EVERY["1.53.1"]
    ends: list[float] = field(init=False)

    def __post_init__(self) -> None:
        self.ends = [0.0] * self.deployments
        self._asked = [-math.inf] * self.deployments

    def free(self, now: float) -> list[int]:
        """The deployments that the proxy may choose from."""
        if self.redis is not None:
            for index, end in enumerate(self.ends):
                if end <= now and now - self._asked[index] >= self.every:
                    self._asked[index] = now
                    if self.redis[index] > now:
                        # Before 1.102 it is kept for ten minutes, unless the first refusal ends it.
                        self.ends[index] = math.inf if self.every > 1 else self.redis[index]
        return [index for index, end in enumerate(self.ends) if end <= now]

    def refuse(self, now: float) -> float:
        """When the first deployment may be used again; copies end then as they do in Redis."""
        if self.redis is not None:
            for index, end in enumerate(self.ends):
                if end == math.inf:
                    self.ends[index] = self.redis[index]
        return max(min(self.ends), now)

    def cool(self, deployment: int, now: float, end: float) -> None:
        """The provider refused: LiteLLM keeps its first deadline (issue #40130), Redis the last."""
        if self.redis is not None:
            self.redis[deployment] = end
        if self.ends[deployment] <= now:
            self.ends[deployment] = end
