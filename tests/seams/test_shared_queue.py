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
from unittest.mock import Mock

import pytest

from litellm_patch import metrics
from litellm_patch.seams.record import shared_queue
from litellm_patch.seams.record.shared_queue import SharedQueues
from litellm_patch.wait.known_rate import KnownRate
from litellm_patch.wait.shared_pacing import SCRIPT, Waiting
from litellm_patch.wait.shared_part import SharedPlace

NOW = 5000.0
READY = NOW + 5
WAITING = Waiting(READY, 10.0, 60.0, KnownRate(limit=4.0), fixed=2.0)


class NoScriptError(Exception):
    """As redis-py names it."""


class Answer(Future):
    """One that nobody waits for."""

    def result(self, timeout=0):
        return super().result(timeout)


class Process:
    """One whose questions are answered at once, late, or not asked at all."""

    def __init__(self, reply: Any = b"7.5 3 9", error: Exception | None = None) -> None:
        self.client, self.late = Mock(), []
        self.client.evalsha.return_value = self.client.eval.return_value = reply
        self.client.evalsha.side_effect = error
        namespace = "tenant:{key}".format
        self.redis = SimpleNamespace(redis_client=self.client, check_and_fix_namespace=namespace)
        self.queues = SharedQueues()
        self.queues.questions = SimpleNamespace(ask=self.ask)

    def ask(self, question: Callable[[], Any]) -> Future[Any] | None:
        answer = Answer()
        if self.answers == "at once":
            try:
                answer.set_result(question())
            except Exception:
                answer.cancel()
        elif self.answers == "late":
            self.late.append(question)
        return None if self.answers == "none" else answer

    def place(
        self, times: int = 1, answers: str = "at once", ready_at: float = READY, queue: str = "a|b"
    ) -> Any:
        """Of the last of so many clients."""
        self.answers = answers
        for _ in range(times):
            last = self.queues.place(self.redis, queue, replace(WAITING, ready_at=ready_at))
        return last

    def answer_late(self) -> None:
        for question in self.late:
            question()

    def asked(self) -> list[tuple[Any, ...]]:
        """The arguments of each call of the script."""
        return [call.args for call in self.client.mock_calls]

    def reported(self) -> list[int]:
        """With each question, as the script is told it: the last of its arguments."""
        return [int(asked[-1]) for asked in self.asked()]


@pytest.fixture(autouse=True)
def fallbacks(monkeypatch):
    """How often a process gave a place by itself; the clock stands still."""
    counted = Mock()
    monkeypatch.setattr(shared_queue, "time", SimpleNamespace(monotonic=lambda: NOW))
    monkeypatch.setattr(metrics, "redis_fell_back", counted)
    return counted


def test_a_place_is_what_the_script_answers_from_now(fallbacks):
    process = Process()
    assert process.place() == SharedPlace(NOW + 7.5, 3, 1, 9.0)
    (asked,) = process.asked()
    assert asked[:2] == (hashlib.sha1(SCRIPT.encode()).hexdigest(), 1)
    assert asked[3:] == WAITING.arguments(NOW)
    fallbacks.assert_not_called()


@pytest.mark.parametrize("queue", ["a|b", "sk-secret" * 100, "\udc80"])
def test_a_key_is_short_and_names_no_deployment(queue):
    process = Process()
    for each in (queue, queue, "other"):
        process.place(queue=each)
    key, same, other = [asked[2] for asked in process.asked()]
    assert re.fullmatch(r"tenant:litellm_patch:queue:2:\{[0-9a-f]{32}\}", key)
    assert key == same != other


def test_a_script_that_redis_does_not_have_is_sent():
    process = Process(error=NoScriptError())
    assert process.place() == SharedPlace(NOW + 7.5, 3, 1, 9.0)
    by_name, sent = process.asked()
    assert sent == (SCRIPT, *by_name[1:])


@pytest.mark.parametrize(
    "redis, answers, questions",
    [
        ({"error": ConnectionError()}, "at once", 1),  # nothing is sent after another error
        ({"reply": b"nan"}, "at once", 1),
        ({}, "none", 0),
        ({}, "late", 0),
    ],
)
def test_without_a_usable_answer_the_process_gives_the_place(redis, answers, questions, fallbacks):
    process = Process(**redis)
    assert process.place(answers=answers) is None
    assert len(process.asked()) == questions
    fallbacks.assert_called_once()


def test_places_that_the_process_gave_by_itself_are_reported_once_and_in_their_queue():
    process = Process()
    process.place(2, "none", queue="other")
    process.place(3, "none")
    process.place(2)
    process.place(1, "none")
    process.place()
    assert process.reported() == [3, 0, 1]
    # Redis has counted them as this process', and those that it gave itself.
    assert (process.place().mine, process.place(queue="other").mine) == (8, 3)


def test_a_place_that_is_answered_late_took_a_place_for_its_client():
    process = Process()
    process.place(2, "late")
    process.place(3, "none")
    process.answer_late()
    assert (process.reported(), process.place().mine) == ([3, 0], 6)


def test_a_question_that_failed_may_have_taken_a_place_and_is_not_counted():
    process = Process(error=ConnectionError())
    process.place(4)
    process.client.evalsha.side_effect = None
    assert process.place().mine == 1
    assert process.reported() == [0] * 5


def test_threads_that_meet_report_each_place_once(monkeypatch):
    reported: list[int] = []
    fallbacks: list[int] = []

    def evalsha(*arguments):
        reported.append(int(arguments[-1]))
        return b"7.5 3 9"

    monkeypatch.setattr(shared_queue, "MEANWHILE_AT_MOST", 10**9)
    monkeypatch.setattr(metrics, "redis_fell_back", partial(fallbacks.append, 1))
    process, interval, given = Process(), sys.getswitchinterval(), 50_000
    process.redis.redis_client = SimpleNamespace(evalsha=evalsha)
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
    assert (sum(reported), len(fallbacks)) == (given, given)


@pytest.mark.parametrize("later, reported", [(1.0, 3), (-1.0, 3), (1.01, 0), (-1.01, 0)])
def test_places_behind_another_cooldown_are_forgotten(later, reported):
    process = Process()
    process.place(2)
    process.place(3, "none")
    assert process.place(ready_at=READY + later).mine == 3 + reported
    assert process.reported() == [0, 0, reported]


def test_an_end_that_moves_slowly_is_another_one_in_the_end():
    process = Process()
    for later in (0.0, 0.9, 1.8, 1.9):
        process.place(1, "none", READY + later)
    process.place(ready_at=READY + 1.9)
    assert process.reported() == [2]


def test_a_question_reports_a_hundred_places_at_most():
    process = Process()
    process.place(150, "none")
    process.place(2)
    assert process.reported() == [100, 0]


def test_a_thousand_queues_are_remembered():
    process = Process()
    for number in [*range(1000), 0, 1000]:
        process.place(1, "none", queue=f"queue {number}")
    process.place(queue="queue 0")
    process.place(queue="queue 1")  # the one that was used least recently
    assert process.reported() == [2, 0]


def test_the_log_says_what_is_told_instead(lines):
    SharedQueues().questions._say("why")
    assert lines[0] == (
        "Redis cannot be asked for the places of waiting clients (why): "
        "each process has a queue of its own until it can"
    )
