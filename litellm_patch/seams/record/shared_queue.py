"""The queue of a group in the Redis that LiteLLM's proxies share: see `wait/shared_pacing.py`.

Each refusal costs one question to Redis. Where Redis does not answer in time, or forbids scripts,
the process uses its own queue.
"""

from __future__ import annotations

import hashlib
import time
from functools import partial
from typing import Any

from ... import metrics
from ...wait.shared_pacing import LAYOUT, SCRIPT, Waiting, place_in
from .redis_questions import Questions

_SHA = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()
"""The name that Redis gives to the script."""


class SharedQueues:
    """Asks Redis for places. Thread-safe."""

    def __init__(self) -> None:
        self.questions: Questions = Questions(
            "the places of waiting clients", "each process has a queue of its own"
        )

    def place(self, redis_cache: Any, queue: str, waiting: Waiting) -> float | None:
        """The `time.monotonic()` at which a client should return; None without an answer.

        Args:
            redis_cache: LiteLLM's `RedisCache`.
            queue: the name of the queue, which names its deployments.
        """
        answer = self.questions.ask(partial(_place, redis_cache, _key(queue), waiting))
        if answer is None or answer.cancelled() or not answer.done():
            metrics.redis_fell_back()
            return None
        place: float = answer.result()
        return place


def _key(queue: str) -> str:
    """A key in one slot of a cluster. It is a digest, as a name may be long or confidential."""
    digest = hashlib.sha256(queue.encode("utf-8", "replace")).hexdigest()[:32]
    return f"litellm_patch:queue:{LAYOUT}:{{{digest}}}"


def _place(redis_cache: Any, key: str, waiting: Waiting) -> float:
    client, key = redis_cache.redis_client, redis_cache.check_and_fix_namespace(key=key)
    arguments = (1, key, *waiting.arguments(time.monotonic()))
    try:
        reply = client.evalsha(_SHA, *arguments)
    except Exception as error:
        if type(error).__name__ != "NoScriptError":
            raise
        reply = client.eval(SCRIPT, *arguments)  # Redis was restarted, or its scripts were flushed
    return time.monotonic() + place_in(reply)
