"""Ask LiteLLM's Redis from a thread of its own, so that it never holds up the proxy.

The proxy makes a refusal on its event loop, where it must not wait. It waits for an answer for
`PATIENCE` at most. A Redis that is slower, or fails, is left alone for a while, which becomes
longer each time, and then asked something that nobody waits for: only its good answer ends that.
A Redis that answers just in time holds up the proxy for `SHARE` of the time at most.

LiteLLM's own client is used, which may be shared by threads, and by a process and its forked
children. The thread is made by the first question, in the process that asks it, and is a daemon,
since the end of the process must not wait for it.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
import weakref
from concurrent.futures import Future
from typing import Any, Callable

from ...log import once

PATIENCE = 0.02
"""Seconds that a refusal waits for an answer."""

SHARE = 0.1
"""Of the time of its event loop that a proxy spends on waiting for answers at most."""

SAVED, LEAST = 0.03, 0.002
"""Seconds of waiting that are saved up while nobody asks, and below which nothing is begun."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 60.0
"""Seconds for which a Redis that failed is left alone; doubled each time."""

Question = Callable[[], Any]


_Asked = tuple[Question, "Future[Any]", float]
"""With the answer to come, and the `time.monotonic()` of the question."""


class Questions:
    """A thread that asks one question after the other. Safe under threads.

    Args:
        what: is asked for, as the log names it.
        instead: what is told meanwhile, as the log names it.
    """

    def __init__(self, what: str, instead: str) -> None:
        self._what, self._instead = what, instead
        self.waits: int = 0
        """How many refusals waited for an answer."""
        self._renew()
        in_forked_children(self._renew)

    def _renew(self) -> None:
        """As if nothing had been asked: a forked child has no thread but the one that forked."""
        self._lock = threading.Lock()
        self._asked: queue.SimpleQueue[_Asked] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._under_way = False
        self._pause, self._silent_until = 0.0, 0.0
        self._patience, self._refilled = SAVED, time.monotonic()

    def ask(self, question: Question, late: bool = False) -> Future[Any] | None:
        """The answer, which may be there already, or come later; None if nothing was asked.

        It is cancelled where there is none: an exception would keep frames alive.

        Args:
            late: whether an answer is of use for which no refusal can wait any more.
        """
        now = time.monotonic()
        with self._lock:
            patience = self._patience_left(now)
            if self._under_way or now < self._silent_until or not (patience or late or self._pause):
                return None
            if self._thread is None:
                thread = threading.Thread(target=self._run, args=(self._asked,), daemon=True)
                thread.start()  # it raises where the process is ending
                self._thread = thread
            answer: Future[Any] = Future()
            self._under_way = True
        self._asked.put((question, answer, now))
        if patience:
            self._wait(answer, now, patience)
        return answer

    def _patience_left(self, now: float) -> float:
        """Seconds that a question may be waited for now; called with the lock."""
        saved = self._patience + SHARE * (now - self._refilled)
        self._patience, self._refilled = min(SAVED, saved), now
        return 0.0 if self._pause or self._patience < LEAST else min(PATIENCE, self._patience)

    def _wait(self, answer: Future[Any], since: float, patience: float) -> None:
        try:
            answer.exception(timeout=patience)
        except Exception:  # it is late, or cancelled
            pass
        waited = time.monotonic() - since
        with self._lock:
            self.waits += 1
            self._patience = max(0.0, self._patience - waited)
            if answer.done() or patience < PATIENCE:
                return
            self._leave_alone()
        self._say("no answer in time")

    def _run(self, asked: queue.SimpleQueue[_Asked]) -> None:
        while True:
            question, answer, since = asked.get()
            result, problem = None, ""
            try:
                result = question()
            except Exception as error:
                problem = type(error).__name__
            with self._lock:
                late = time.monotonic() - since > PATIENCE
                if problem or late:
                    self._leave_alone()
                else:
                    self._pause = 0.0
                self._under_way = False
            if problem:
                answer.cancel()
            else:
                answer.set_result(result)
            if problem or late:
                self._say(problem or "no answer in time")
            del question, answer, result

    def _leave_alone(self) -> None:
        """Ask nothing for a while; called with the lock."""
        now = time.monotonic()
        if now >= self._silent_until:
            self._pause = min(max(FIRST_PAUSE, 2 * self._pause), LONGEST_PAUSE)
            self._silent_until = now + self._pause

    def _say(self, why: str) -> None:
        """Once for each process, and never the text of an error, which may name a password."""
        once(
            logging.WARNING,
            f"Redis cannot be asked for {self._what} ({why}): {self._instead} until it can",
            kind=f"Redis {self._what}",
        )


def in_forked_children(method: Callable[[], None]) -> None:
    """Call a bound method in each child that this process forks, while its object lives."""
    if hasattr(os, "register_at_fork"):  # POSIX
        itself = weakref.WeakMethod(method)
        os.register_at_fork(after_in_child=lambda: (itself() or _nothing)())


def _nothing() -> None:
    pass
