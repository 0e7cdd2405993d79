"""Asking Redis for a place in the queue of all proxies: the question, and its answers."""

from __future__ import annotations

import hashlib
import re
import sys
import threading
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any, Callable

import pytest

from litellm_patch import metrics
from litellm_patch.seams.record import shared_queue
from litellm_patch.seams.record.shared_queue import SharedQueues
from litellm_patch.wait.known_rate import KnownRate
from litellm_patch.wait.shared_pacing import SCRIPT, Waiting
from litellm_patch.wait.shared_part import SharedPlace

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


Ask = Callable[..., Any]


def queues_that(ask: Ask = at_once) -> SharedQueues:
    queues = SharedQueues()
    queues.questions = SimpleNamespace(ask=ask)
    return queues


def place(redis: Redis, queue: str = "a|b", ask: Ask = at_once) -> SharedPlace | None:
    return queues_that(ask).place(redis, queue, WAITING)


def key_of(queue: str) -> str:
    redis = Redis()
    assert place(redis, queue) is not None
    return redis.asked[0][2]


def test_a_place_is_what_the_script_answers_from_now(fallbacks):
    redis = Redis(b"7.5 3 9")
    assert place(redis) == SharedPlace(NOW + 7.5, 3, 1, 9.0)
    (asked,) = redis.asked
    assert asked[:2] == (hashlib.sha1(SCRIPT.encode()).hexdigest(), 1)
    assert asked[3:] == WAITING.arguments(NOW)
    assert fallbacks == []


@pytest.mark.parametrize("queue", ["a|b", "sk-secret" * 100, "\N{SNOWMAN}", "\udc80"])
def test_a_key_is_short_and_names_no_deployment(queue, fallbacks):
    assert re.fullmatch(r"tenant:litellm_patch:queue:2:\{[0-9a-f]{32}\}", key_of(queue))
    assert key_of(queue) == key_of(queue) != key_of("other")


def test_a_script_that_redis_does_not_have_is_sent(fallbacks):
    redis = Redis(error=NoScriptError())
    assert place(redis) == SharedPlace(NOW + 7.5, 3, 1, 9.0)
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


class Process:
    """One whose questions are answered at once, with an error, late, or not asked at all."""

    def __init__(self) -> None:
        self.redis, self.answers, self.late = Redis(), "at once", []
        self.queues = queues_that(self.ask)

    def ask(self, question: Callable[[], Any]) -> Future[Any] | None:
        if self.answers == "at once":
            return at_once(question)
        if self.answers == "none":
            return None
        self.late.append(question)
        return Answer()

    def place(self, times: int = 1, ready_at: float = NOW + 5, queue: str = "a|b") -> Any:
        """Of the last of so many clients."""
        for _ in range(times):
            last = self.queues.place(self.redis, queue, replace(WAITING, ready_at=ready_at))
        return last

    def reported(self) -> list[int]:
        """With each question, as the script is told it: the last of its arguments."""
        return [int(asked[-1]) for asked in self.redis.asked]


def test_places_that_the_process_gave_by_itself_are_reported_once(fallbacks):
    process = Process()
    for times in (3, 0, 1):
        process.answers = "none"
        assert process.place(times) is None if times else True
        process.answers = "at once"
        process.place()
    assert process.reported() == [3, 0, 1]
    # Redis has counted them as this process', and the three that it gave itself.
    assert process.place().mine == 8


def test_places_of_another_queue_are_reported_there(fallbacks):
    process = Process()
    process.answers = "none"
    process.place(2)
    process.place(3, queue="other")
    process.answers = "at once"
    assert (process.place().mine, process.place(queue="other").mine) == (3, 4)
    assert process.reported() == [2, 3]


@pytest.mark.parametrize("answers", ["late", "at once"])
def test_a_place_that_redis_was_asked_for_is_not_reported(answers, fallbacks):
    """One that is answered late took a place for its client, and one that fails may have."""
    process = Process()
    process.answers, process.redis.error = answers, ConnectionError()
    assert process.place(2) is None
    for question in process.late:
        at_once(question)
    process.answers, process.redis.error = "at once", None
    process.place()
    assert process.reported() == [0, 0, 0]


def test_a_process_counts_as_its_own_what_redis_counted_late(fallbacks):
    process = Process()
    process.answers = "late"
    process.place(2)
    process.answers = "none"
    process.place(3)
    for question in process.late:
        at_once(question)
    process.answers = "at once"
    assert (process.reported(), process.place().mine) == ([3, 0], 6)


def test_what_an_error_answers_is_not_counted_as_its_own(fallbacks):
    process = Process()
    process.redis.error = ConnectionError()
    process.place(4)
    process.redis.error = None
    assert process.place().mine == 1


def test_threads_that_meet_report_each_place_once(fallbacks, monkeypatch):
    monkeypatch.setattr(shared_queue, "MEANWHILE_AT_MOST", 10**9)
    process, interval, given = Process(), sys.getswitchinterval(), 50_000
    loop = partial(process.queues.place, process.redis, "a|b", WAITING)
    process.queues.questions.ask = lambda question: None
    own = process.queues._own_part(shared_queue._key("a|b"), WAITING.ready_at)
    thread = threading.Thread(target=lambda: [loop() for _ in range(given)])
    sys.setswitchinterval(1e-6)
    try:
        thread.start()
        while thread.is_alive():
            shared_queue._place(process.redis, "key", WAITING, own)
    finally:
        sys.setswitchinterval(interval)
    shared_queue._place(process.redis, "key", WAITING, own)
    assert (sum(process.reported()), len(fallbacks)) == (given, given)


@pytest.mark.parametrize("later, reported", [(1.0, 3), (-1.0, 3), (1.01, 0), (-1.01, 0)])
def test_places_behind_another_cooldown_are_forgotten(later, reported, fallbacks):
    process = Process()
    process.place(2)
    process.answers = "none"
    process.place(3)
    process.answers = "at once"
    assert process.place(ready_at=NOW + 5 + later).mine == 3 + reported
    assert process.reported() == [0, 0, reported]


def test_an_end_that_moves_slowly_is_another_one_in_the_end(fallbacks):
    process = Process()
    process.answers = "none"
    for later in (0.0, 0.9, 1.8, 1.9):
        process.place(ready_at=NOW + 5 + later)
    process.answers = "at once"
    process.place(ready_at=NOW + 5 + 1.9)
    assert process.reported() == [2]


def test_a_question_reports_a_hundred_places_at_most(fallbacks):
    process = Process()
    process.answers = "none"
    process.place(150)
    process.answers = "at once"
    process.place(2)
    assert process.reported() == [100, 0]


def test_a_thousand_queues_are_remembered(fallbacks):
    process = Process()
    process.answers = "none"
    for number in [*range(1000), 0, 1000]:
        process.place(queue=f"queue {number}")
    process.answers = "at once"
    process.place(queue="queue 0")
    process.place(queue="queue 1")  # the one that was used least recently
    assert process.reported() == [2, 0]


def test_another_reply_is_no_place(fallbacks):
    assert place(Redis(b"nan")) is None
    assert fallbacks == [1]


def test_the_log_says_what_is_told_instead(lines):
    SharedQueues().questions._say("why")
    assert lines[0].getMessage() == (
        "Redis cannot be asked for the places of waiting clients (why): "
        "each process has a queue of its own until it can"
    )
