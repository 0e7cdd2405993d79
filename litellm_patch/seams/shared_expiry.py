"""Ask Redis, once for each cooldown, how long it keeps a record that another process wrote."""

from __future__ import annotations

import os
import threading
import time
import weakref
from concurrent.futures import Future
from typing import Any

TIMEOUT = 0.1
"""Seconds that a refusal waits for Redis; after that the record's own time is told."""

_REMEMBERED_AT_MOST = 1000
_NO_EXPIRY = -1  # PTTL's answer for a key that Redis never drops


class SharedExpiries:
    """The ends of cooldowns by Redis' own clock, remembered for each record.

    Thread-safe. One question is under way at a time, so that a Redis that hangs holds up one
    thread and no more. It is a daemon, since the end of the process must not wait for it.
    """

    def __init__(self) -> None:
        self._ends: dict[tuple[str, float], Future[float | None]] = {}
        self._renew()
        if hasattr(os, "register_at_fork"):  # POSIX
            itself = weakref.WeakMethod(self._renew)
            os.register_at_fork(after_in_child=lambda: (itself() or _nothing)())

    def _renew(self) -> None:
        """Forget what another thread was about to do: a forked child has none but its own."""
        self._lock = threading.Lock()
        self._asking = threading.Semaphore(1)
        self._ends = {record: end for record, end in self._ends.items() if end.done()}

    def seconds(self, redis_cache: Any, key: str, written: float) -> float | None:
        """Seconds until Redis drops `key`, negative once it has; None if it does not tell in time.

        Args:
            redis_cache: LiteLLM's `RedisCache`.
            key: without LiteLLM's namespace.
            written: the record's `timestamp`, which tells one cooldown of `key` from the next.
        """
        with self._lock:
            answer = self._ends.get((key, written))
            if answer is None:
                if not self._asking.acquire(blocking=False):
                    return None
                answer = Future()
                if len(self._ends) >= _REMEMBERED_AT_MOST:
                    self._ends.pop(next(iter(self._ends)))
                self._ends[(key, written)] = answer
                threading.Thread(
                    target=self._ask, args=(redis_cache, key, answer), daemon=True
                ).start()
        try:
            ends_at = answer.result(timeout=TIMEOUT)
        except Exception:  # too late
            return None
        return None if ends_at is None else ends_at - time.monotonic()

    def _ask(self, redis_cache: Any, key: str, answer: Future[float | None]) -> None:
        ends_at = None
        try:
            ends_at = _ends_at(redis_cache, key)
        except Exception:  # the error is not kept, since its traceback holds this thread's frames
            pass
        finally:
            answer.set_result(ends_at)
            self._asking.release()


def _nothing() -> None:
    pass


def _ends_at(redis_cache: Any, key: str) -> float | None:
    """`time.monotonic()` at which Redis drops `key`, at the latest now; None without an expiry."""
    key = redis_cache.check_and_fix_namespace(key=key)
    milliseconds: int = redis_cache.redis_client.pttl(key)
    if milliseconds == _NO_EXPIRY:
        return None
    return time.monotonic() + max(0.0, milliseconds / 1000)  # -2: there is no such key any more
