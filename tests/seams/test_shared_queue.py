"""What is sent to Redis for a place in the queue of all proxies, and what its answer means."""

from __future__ import annotations

import hashlib
import logging
import re
import time
from concurrent.futures import Future
from functools import partial
from types import SimpleNamespace
from typing import Any, Callable

import pytest

from litellm_patch import log, metrics
from litellm_patch.seams.record import shared_queue
from litellm_patch.seams.record.shared_queue import SharedQueues
from litellm_patch.wait.pacing import KnownRate, SharedPlace
from litellm_patch.wait.shared_pacing import SCRIPT, Waiting

NOW = 5000.0
WAITING = Waiting(NOW + 5, 10.0, 60.0, KnownRate(limit=4.0), fixed=2.0)


class NoScriptError(Exception):
    """As redis-py names it."""


class Redis:
    """LiteLLM's `RedisCache` and its client; a script's answer is `reply`."""

    def __init__(self, reply: Any = b"7.5 3 9", error: Exception | None = None) -> None:
        self.redis_client, self.asked = self, []
        self.reply, self.error = reply, error

    def check_and_fix_namespace(self, key: str) -> str:
        return f"tenant:{key}"

    def evalsha(self, *arguments: Any) -> Any:
        self.asked.append(arguments)
        if self.error is not None:
            raise self.error
        return self.reply

    def eval(self, *arguments: Any) -> Any:
        self.asked.append(arguments)
        return self.reply


class Answer(Future):
    """One that nobody waits for."""

    def result(self, timeout=0):
        return super().result(timeout)


def at_once(question: Callable[[], Any], late: bool = False) -> Future[Any]:
    """As `Questions.ask`, of a Redis that takes no time."""
    answer = Answer()
    try:
        answer.set_result(question())
    except Exception:
        answer.cancel()
    return answer


@pytest.fixture
def fallbacks(monkeypatch):
    """How often a process gave a place by itself; the clock stands still."""
    counted: list[int] = []
    monkeypatch.setattr(shared_queue, "time", SimpleNamespace(monotonic=lambda: NOW))
    monkeypatch.setattr(metrics, "redis_fell_back", partial(counted.append, 1))
    return counted


def place(
    redis: Redis, queue: str = "a|b", ask: Callable[..., Any] = at_once
) -> SharedPlace | None:
    queues = SharedQueues()
    queues.questions = SimpleNamespace(ask=ask)
    return queues.place(redis, queue, WAITING)


def key_of(queue: str) -> str:
    redis = Redis()
    assert place(redis, queue) is not None
    return redis.asked[0][2]


def test_a_place_is_so_many_seconds_from_the_answer(fallbacks):
    assert place(Redis(b"7.5 3 9")) == SharedPlace(NOW + 7.5, 3, 1, 9.0)
    assert fallbacks == []


def test_the_script_is_called_by_its_name_with_one_key(fallbacks):
    redis = Redis()
    place(redis)
    (asked,) = redis.asked
    assert asked[:2] == (hashlib.sha1(SCRIPT.encode()).hexdigest(), 1)
    assert asked[3:] == WAITING.arguments(NOW)


@pytest.mark.parametrize("queue", ["a|b", "sk-secret" * 100, "\N{SNOWMAN}", "\udc80"])
def test_a_key_is_short_and_names_no_deployment(queue, fallbacks):
    assert re.fullmatch(r"tenant:litellm_patch:queue:2:\{[0-9a-f]{32}\}", key_of(queue))
    assert key_of(queue) == key_of(queue) != key_of("other")


def test_a_script_that_redis_does_not_have_is_sent(fallbacks):
    redis = Redis(error=NoScriptError())
    assert place(redis) == SharedPlace(NOW + 7.5, 3, 1, 9.0)
    by_name, sent = redis.asked
    assert sent == (SCRIPT, *by_name[1:])


def test_after_another_error_nothing_is_sent(fallbacks):
    redis = Redis(error=ConnectionError())
    assert place(redis) is None
    assert len(redis.asked) == 1
    assert fallbacks == [1]


def cancelled() -> Future[Any]:
    answer = Answer()
    answer.cancel()
    return answer


@pytest.mark.parametrize("answer", [None, Answer(), cancelled()], ids=["none", "late", "error"])
def test_without_an_answer_the_process_gives_the_place(answer, fallbacks):
    assert place(Redis(), ask=lambda question, late=False: answer) is None
    assert fallbacks == [1]


def test_another_reply_is_no_place(fallbacks):
    assert place(Redis(b"nan")) is None
    assert fallbacks == [1]


def test_the_log_says_what_is_told_instead(monkeypatch, caplog):
    monkeypatch.setattr(log, "_said", {})
    caplog.set_level(logging.INFO, logger="litellm_patch")
    SharedQueues().place(Redis(error=ConnectionError()), "a|b", WAITING)
    deadline = time.monotonic() + 30
    while not caplog.records and time.monotonic() < deadline:
        time.sleep(0.01)
    assert caplog.records[0].getMessage() == (
        "Redis cannot be asked for the places of waiting clients (ConnectionError): "
        "each process has a queue of its own until it can"
    )
