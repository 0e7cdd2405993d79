"""When Redis is asked, how long a refusal waits for it, and for how long it is left alone.

Nothing waits here: a clock of the tests is told how long Redis takes.
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from litellm_patch import log
from litellm_patch.seams.record import redis_questions
from litellm_patch.seams.record.redis_questions import Questions

SECRET = "sk-in-the-text-of-an-error"


class Machine:
    """A clock, and threads that run when a refusal waits for long enough, or when told.

    Attributes:
        takes: seconds from a question to its answer.
        fails: whether the answer is an error.
        waited: the most seconds that each refusal would have waited.
    """

    def __init__(self) -> None:
        self.now, self.takes, self.fails = 0.0, 0.0, False
        self.waited: list[float] = []
        self.threads = Mock()
        self.questions: Questions

    def question(self) -> str:
        if self.fails:
            raise ConnectionError(SECRET)
        return "answer"

    def ask(self, late: bool | None = None) -> Future[Any] | None:
        return self.questions.ask(self.question, **({} if late is None else {"late": late}))

    def waits(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.work(self.takes) if self.takes <= seconds else self.pass_by(seconds)

    def pass_by(self, seconds: float) -> None:
        self.now += seconds

    def work(self, after: float = 0.0) -> None:
        """Redis answers what it was asked, `after` more seconds."""
        self.now += after
        started = self.threads.call_args.kwargs
        with pytest.raises(queue.Empty):
            started["target"](*started["args"])


class Line(queue.SimpleQueue):
    """A queue whose end is the end of the thread that reads it."""

    def get(self) -> Any:
        return super().get(block=False)


@pytest.fixture
def machine(monkeypatch):
    machine = Machine()

    class Answer(Future):
        def exception(self, timeout=None):
            machine.waits(timeout)
            return super().exception(timeout=0)

        def result(self, timeout=0):
            return super().result(timeout)

    fakes = {
        "time": SimpleNamespace(monotonic=lambda: machine.now),
        "threading": SimpleNamespace(Lock=threading.Lock, Thread=machine.threads),
        "queue": SimpleNamespace(SimpleQueue=Line),
        "Future": Answer,
    }
    for name, fake in fakes.items():
        monkeypatch.setattr(redis_questions, name, fake)
    machine.questions = Questions("the answers", "something else is told")
    return machine


def warning(why: str) -> str:
    return f"Redis cannot be asked for the answers ({why}): something else is told until it can"


def left_alone(machine: Machine, seconds: float) -> bool:
    """Whether nothing is asked for just so many seconds from now. (They pass.)"""
    since = machine.now
    machine.now = since + seconds * 0.999
    too_early = machine.ask(late=True)
    machine.now = since + seconds
    return too_early is None


def test_a_refusal_waits_twenty_milliseconds_for_an_answer(machine, lines):
    machine.takes = 0.02
    answer = machine.ask()
    assert answer.result() == "answer"
    assert machine.waited == [0.02]
    assert machine.questions.waits == 1
    assert machine.ask() is not None  # it is not left alone
    machine.threads.assert_called_once()
    assert machine.threads.call_args.kwargs["daemon"] is True  # the process need not wait for it
    assert lines == []


def test_waiting_takes_a_tenth_of_the_time_and_what_was_saved_up(machine, lines):
    machine.takes = 0.012
    assert machine.ask().done()  # 0.030 s were saved up
    assert machine.ask().done()
    answer = machine.ask()
    assert not answer.done()
    assert machine.waited == pytest.approx([0.02, 0.0192, 0.0084])
    machine.work(after=0.012 - 0.0084)  # which is not the fault of Redis
    assert answer.result() == "answer"
    assert machine.questions.waits == 3
    assert machine.ask() is None  # no wait is left that would be worth it
    late = machine.ask(late=True)  # an answer that is useful later
    machine.work()
    assert late.result() == "answer"
    machine.pass_by(0.0075)
    assert machine.ask() is None
    machine.pass_by(0.001)  # 0.0205 s after the last wait
    machine.ask()
    assert machine.waited[3:] == pytest.approx([0.00205])
    assert lines == []


def test_no_wait_is_worth_it_below_two_milliseconds(machine, monkeypatch):
    monkeypatch.setattr(redis_questions, "SHARE", 0.0)
    for saved, waited in [(0.002, [0.002]), (0.00199, [])]:
        monkeypatch.setattr(redis_questions, "SAVED", saved)
        questions = machine.questions = Questions("a", "b")
        machine.waited.clear()
        assert (questions.ask(machine.question) is not None) is bool(waited)
        assert machine.waited == waited


def test_while_one_question_is_under_way_no_other_is_asked(machine):
    machine.takes = 0.012
    for _ in range(3):
        machine.ask()
    machine.pass_by(60)
    assert machine.ask() is None
    assert machine.ask(late=True) is None


def test_a_redis_that_does_not_answer_in_time_is_left_alone_at_once(machine, lines):
    machine.takes = 0.05
    answer = machine.ask()
    assert lines == [warning("no answer in time")]
    machine.work(after=0.03)
    assert answer.result() == "answer"
    machine.now = 0.02  # when the refusal gave up
    assert left_alone(machine, 0.1)
    machine.ask()
    assert machine.waited == [0.02]  # now nobody waits
    machine.work(after=0.01)
    machine.takes = 0.0
    assert machine.ask().done()  # the good answer ended that
    assert len(machine.waited) == 2


def test_each_error_doubles_the_time_up_to_a_minute(machine, lines):
    machine.fails = True
    pauses = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 60, 60]
    for pause in pauses:
        answer = machine.ask()
        if not answer.done():
            machine.work()
        assert answer.cancelled()
        assert left_alone(machine, pause)
    assert lines == [warning("ConnectionError")]
    assert len(machine.waited) == 1
    machine.fails = False
    machine.ask()
    machine.work()
    machine.fails = True
    machine.ask()
    assert left_alone(machine, 0.1)  # a good answer ended it


def test_a_late_answer_that_nobody_waited_for_does_not_end_it(machine, lines):
    machine.fails = True
    machine.ask()
    lines.clear()
    log._said.clear()
    machine.fails = False
    machine.pass_by(0.1)
    answer = machine.ask()
    machine.work(after=0.021)
    assert answer.result() == "answer"
    assert lines == [warning("no answer in time")]
    assert left_alone(machine, 0.2)
    assert machine.ask() is not None
    assert len(machine.waited) == 1
