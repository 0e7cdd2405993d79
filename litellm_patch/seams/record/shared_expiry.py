"""Ask Redis, once for each cooldown, how long it keeps a record that another process wrote."""

from __future__ import annotations

import time
from concurrent.futures import Future
from functools import partial
from typing import Any

from ...wait.forks import in_forked_children
from .redis_questions import Questions

_REMEMBERED_AT_MOST = 1000
_NO_EXPIRY = -1  # PTTL's answer for a key that Redis never drops


class SharedExpiries:
    """Remembers for each record when Redis, by its own clock, drops it. Thread-safe."""

    def __init__(self) -> None:
        self._ends: dict[tuple[str, float], Future[float | None]] = {}
        self.questions: Questions = Questions(
            "the time left of cooldowns", "the clocks of the proxies count"
        )
        in_forked_children(self._forget_what_is_asked)

    def seconds(self, redis_cache: Any, key: str, written: float) -> float | None:
        """Seconds until Redis drops `key`, negative after that; None if there is no answer yet.

        Args:
            redis_cache: LiteLLM's `RedisCache`.
            key: without LiteLLM's namespace.
            written: the record's `timestamp`, which distinguishes the cooldowns of a `key`.
        """
        answer = self._ends.get((key, written))
        if answer is None or answer.cancelled():
            answer = self.questions.ask(partial(_ends_at, redis_cache, key), late=True)
            if answer is None:
                return None
            if len(self._ends) >= _REMEMBERED_AT_MOST:
                self._ends.pop(next(iter(self._ends)), None)
            self._ends[(key, written)] = answer
        if answer.cancelled() or not answer.done():
            return None
        ends_at = answer.result()
        return None if ends_at is None else ends_at - time.monotonic()

    def _forget_what_is_asked(self) -> None:
        """Drop pending answers: a forked child does not have the thread that would give them."""
        self._ends = {record: end for record, end in self._ends.items() if end.done()}


def _ends_at(redis_cache: Any, key: str) -> float | None:
    """`time.monotonic()` at which Redis drops `key`, never in the past; None without an expiry."""
    key = redis_cache.check_and_fix_namespace(key=key)
    milliseconds: int = redis_cache.redis_client.pttl(key)
    if milliseconds == _NO_EXPIRY:
        return None
    return time.monotonic() + max(0.0, milliseconds / 1000)  # -2: the key is gone
