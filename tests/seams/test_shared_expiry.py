"""Asking Redis for the end of a cooldown: what stays behind, and what a forked child has."""

from __future__ import annotations

import gc
import os
import threading
import time
import weakref

import pytest

from litellm_patch.seams.shared_expiry import SharedExpiries


class Redis:
    """LiteLLM's RedisCache, of which `answer` is what PTTL tells."""

    def __init__(self, answer):
        self.redis_client = self
        self.pttl = answer

    def check_and_fix_namespace(self, key):
        return key


def until_answered(expiries: SharedExpiries, redis: Redis) -> float | None:
    """The seconds that are told once Redis has answered, however busy the machine is."""
    for _ in range(100):
        seconds = expiries.seconds(redis, "key", 1.0)
        if seconds is not None:
            return seconds
        time.sleep(0.05)
    return None


def test_an_error_of_redis_is_not_kept():
    class OfTheRequest:
        pass

    seen = []

    def answer(key):
        held = OfTheRequest()
        seen.append(weakref.ref(held))
        raise ConnectionError("gone")

    expiries = SharedExpiries()
    assert expiries.seconds(Redis(answer), "key", 1.0) is None
    deadline = time.monotonic() + 10
    while (not seen or seen[0]() is not None) and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.05)
    assert seen[0]() is None
    assert expiries.seconds(Redis(answer), "key", 1.0) is None
    assert len(seen) == 1  # the answer, that there is none, is kept


@pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX only")
def test_a_forked_child_asks_for_itself():
    hangs = threading.Event()
    expiries = SharedExpiries()
    assert expiries.seconds(Redis(lambda key: hangs.wait(60)), "key", 1.0) is None
    with expiries.questions._lock:  # as another thread would hold it
        child = os.fork()
        if child == 0:
            told = until_answered(expiries, Redis(lambda key: 7000))
            os._exit(0 if told is not None and 0 < told <= 7 else 1)
    hangs.set()
    deadline = time.monotonic() + 30
    ended, status = os.waitpid(child, os.WNOHANG)
    while not ended and time.monotonic() < deadline:
        time.sleep(0.05)
        ended, status = os.waitpid(child, os.WNOHANG)
    if not ended:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert ended and os.waitstatus_to_exitcode(status) == 0
