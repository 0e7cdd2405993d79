"""The queue of a group in the Redis that LiteLLM's proxies share: see `wait/shared_pacing.py`.

Each refusal costs one question to Redis. Where Redis does not answer in time, or forbids scripts,
the process uses its own queue.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import Any

from ... import metrics
from ...wait import recent
from ...wait.forks import Lock
from ...wait.shared_pacing import LAYOUT, SCRIPT, Waiting, place_in
from ...wait.shared_part import SharedPlace
from .redis_questions import Questions

_SHA = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()
"""The name that Redis gives to the script."""

ANOTHER_COOLDOWN = 1.0
"""Seconds between the ends of two cooldowns. Places behind the earlier one count no more."""

MEANWHILE_AT_MOST = 100
"""Places of the process' own that one question counts: the script walks over them."""

_KEPT_AT_MOST = 1000

_lock = Lock()
"""Guards each `_Own`: questions are asked by one thread and answered by another."""


@dataclass
class _Own:
    """This process' part in a queue.

    Attributes:
        ready_at: the end of the cooldown that its clients wait for.
        meanwhile: places that it gave by itself since its last question.
        mine: places that Redis has counted as its own.
    """

    ready_at: float
    meanwhile: int = 0
    mine: int = 0


class SharedQueues:
    """Asks Redis for places. Thread-safe."""

    def __init__(self) -> None:
        self.questions: Questions = Questions(
            "the places of waiting clients", "each process has a queue of its own"
        )
        self._own: OrderedDict[str, _Own] = OrderedDict()

    def place(self, redis_cache: Any, queue: str, waiting: Waiting) -> SharedPlace | None:
        """When a client should return, in `time.monotonic()`; None without an answer.

        Args:
            redis_cache: LiteLLM's `RedisCache`.
            queue: the name of the queue, which names its deployments.
        """
        key = _key(queue)
        own = self._own_part(key, waiting.ready_at)
        answer = self.questions.ask(partial(_place, redis_cache, key, waiting, own))
        if answer is None:
            # A question that is answered late takes a place for its client, too.
            with _lock:
                own.meanwhile = min(own.meanwhile + 1, MEANWHILE_AT_MOST)
        if answer is None or answer.cancelled() or not answer.done():
            metrics.redis_fell_back()
            return None
        place: SharedPlace = answer.result()
        return place

    def _own_part(self, key: str, ready_at: float) -> _Own:
        with _lock:
            own = recent.keep(self._own, key, self._own.get(key) or _Own(ready_at), _KEPT_AT_MOST)
            if abs(own.ready_at - ready_at) > ANOTHER_COOLDOWN:
                own.ready_at, own.meanwhile = ready_at, 0
            return own


def _key(queue: str) -> str:
    """A key in one slot of a cluster. It is a digest, as a name may be long or confidential."""
    digest = hashlib.sha256(queue.encode("utf-8", "replace")).hexdigest()[:32]
    return f"litellm_patch:queue:{LAYOUT}:{{{digest}}}"


def _place(redis_cache: Any, key: str, waiting: Waiting, own: _Own) -> SharedPlace:
    client, key = redis_cache.redis_client, redis_cache.check_and_fix_namespace(key=key)
    with _lock:
        meanwhile, own.meanwhile = own.meanwhile, 0
    arguments = (1, key, *waiting.arguments(time.monotonic(), meanwhile))
    try:
        reply = client.evalsha(_SHA, *arguments)
    except Exception as error:
        if type(error).__name__ != "NoScriptError":
            raise
        reply = client.eval(SCRIPT, *arguments)  # Redis was restarted, or its scripts were flushed
    own.mine += meanwhile + 1
    return place_in(reply, time.monotonic(), own.mine)
