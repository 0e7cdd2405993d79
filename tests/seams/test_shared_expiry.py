"""Asking Redis for the end of a cooldown: what is remembered, and by a forked child."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import Future
from types import SimpleNamespace

import pytest
from polling import until

from litellm_patch.seams.record import shared_expiry
from litellm_patch.seams.record.shared_expiry import SharedExpiries


def redis_of(pttl) -> SimpleNamespace:
    """LiteLLM's RedisCache, whose client has this PTTL."""
    client = SimpleNamespace(pttl=pttl)
    return SimpleNamespace(redis_client=client, check_and_fix_namespace=lambda key: key)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX only")
def test_a_forked_child_asks_for_itself():
    hangs = threading.Event()
    expiries = SharedExpiries()
    assert expiries.seconds(redis_of(lambda key: hangs.wait(60)), "key", 1.0) is None
    with expiries.questions._lock:  # as another thread would hold it
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(30)  # which ends a child that hangs
            try:
                told = until(lambda: expiries.seconds(redis_of(lambda key: 7000), "key", 1.0))
                os._exit(0 if 0 < told <= 7 else 1)
            finally:
                os._exit(2)
    hangs.set()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def answered(expiries: SharedExpiries, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Redis takes no time, and the clock stands still; whether each answer is of use later."""
    asked = []

    def ask(question, late=False):
        asked.append(late)
        answer = Future()
        answer.set_result(question())
        return answer

    monkeypatch.setattr(shared_expiry, "time", SimpleNamespace(monotonic=lambda: 5000.0))
    monkeypatch.setattr(expiries, "questions", SimpleNamespace(ask=ask))
    return asked


@pytest.mark.parametrize("milliseconds, seconds", [(7_000_000, 7000), (0, 0), (-2, 0), (-1, None)])
def test_redis_tells_milliseconds(milliseconds, seconds, monkeypatch):
    expiries = SharedExpiries()
    answered(expiries, monkeypatch)
    assert expiries.seconds(redis_of(lambda key: milliseconds), "key", 1.0) == seconds


def test_a_thousand_cooldowns_are_remembered(monkeypatch):
    expiries, redis = SharedExpiries(), redis_of(lambda key: 7000)
    asked = answered(expiries, monkeypatch)
    for written in [*range(1000), 0, 999, 1000, 1, 999]:
        assert expiries.seconds(redis, "key", written) == 7
    assert asked == [True] * 1001
    expiries.seconds(redis, "key", 0)  # the oldest made room for the last one
    assert len(asked) == 1002


def test_the_log_says_what_counts_instead(lines):
    SharedExpiries().questions._say("why")
    assert lines[0] == (
        "Redis cannot be asked for the time left of cooldowns (why): "
        "the clocks of the proxies count until it can"
    )
