"""Asking Redis for a place in the queue of all proxies: the question, and its answers."""

from __future__ import annotations

import hashlib
import re
from concurrent.futures import Future
from functools import partial
from types import SimpleNamespace
from typing import Any, Callable

import pytest

from litellm_patch import metrics
from litellm_patch.seams.record import shared_queue
from litellm_patch.seams.record.shared_queue import SharedQueues
from litellm_patch.wait.pacing import KnownRate
from litellm_patch.wait.shared_pacing import SCRIPT, Waiting

NOW = 5000.0
WAITING = Waiting(NOW + 5, 10.0, 60.0, KnownRate(limit=4.0), fixed=2.0)


class NoScriptError(Exception):
    """As redis-py names it."""


class Redis:
    """LiteLLM's `RedisCache` and its client; a script's answer is `reply`."""

    def __init__(self, reply: Any = b"7.5", error: Exception | None = None) -> None:
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


def place(redis: Redis, queue: str = "a|b", ask: Callable[..., Any] = at_once) -> float | None:
    queues = SharedQueues()
    queues.questions = SimpleNamespace(ask=ask)
    return queues.place(redis, queue, WAITING)


def key_of(queue: str) -> str:
    redis = Redis()
    assert place(redis, queue) is not None
    return redis.asked[0][2]


def test_a_place_is_what_the_script_answers_from_now(fallbacks):
    redis = Redis(b"7.5")
    assert place(redis) == NOW + 7.5
    (asked,) = redis.asked
    assert asked[:2] == (hashlib.sha1(SCRIPT.encode()).hexdigest(), 1)
    assert asked[3:] == WAITING.arguments(NOW)
    assert fallbacks == []


@pytest.mark.parametrize("queue", ["a|b", "sk-secret" * 100, "\N{SNOWMAN}", "\udc80"])
def test_a_key_is_short_and_names_no_deployment(queue, fallbacks):
    assert re.fullmatch(r"tenant:litellm_patch:queue:1:\{[0-9a-f]{32}\}", key_of(queue))
    assert key_of(queue) == key_of(queue) != key_of("other")


def test_a_script_that_redis_does_not_have_is_sent(fallbacks):
    redis = Redis(error=NoScriptError())
    assert place(redis) == NOW + 7.5
    by_name, sent = redis.asked
    assert sent == (SCRIPT, *by_name[1:])


def cancelled() -> Future[Any]:
    answer = Answer()
    answer.cancel()
    return answer


@pytest.mark.parametrize(
    "redis, ask, questions",
    [
        (Redis(error=ConnectionError()), at_once, 1),  # nothing is sent after another error
        (Redis(b"nan"), at_once, 1),
        (Redis(), lambda question, late=False: None, 0),
        (Redis(), lambda question, late=False: Answer(), 0),
        (Redis(), lambda question, late=False: cancelled(), 0),
    ],
    ids=["error", "no number", "not asked", "late", "cancelled"],
)
def test_without_a_usable_answer_the_process_gives_the_place(redis, ask, questions, fallbacks):
    assert place(redis, ask=ask) is None
    assert len(redis.asked) == questions
    assert fallbacks == [1]


def test_the_log_says_what_is_told_instead(lines):
    SharedQueues().questions._say("why")
    assert lines[0].getMessage() == (
        "Redis cannot be asked for the places of waiting clients (why): "
        "each process has a queue of its own until it can"
    )
