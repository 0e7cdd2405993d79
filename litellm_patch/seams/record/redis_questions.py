"""Ask LiteLLM's Redis from a separate thread, so that a slow Redis never blocks the proxy.

The proxy builds a refusal on its event loop, which must not block: it waits for an answer for
`PATIENCE` at most. After an error or a late answer, Redis is left alone for a while, which doubles
each time. The next question is then one that nobody waits for, and only a good answer in time ends
the pause. A Redis that always answers just in time blocks the proxy for `SHARE` of its time.

The questions go through LiteLLM's own client, which threads, and a process and its forked children,
may share. The first question starts the thread, in the process that asks. It is a daemon thread,
because the end of the process must not wait for it.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from concurrent.futures import Future
from typing import Any, Callable

from ...log import once
from ...wait.forks import in_forked_children

PATIENCE = 0.02
"""Seconds that a refusal waits for an answer."""

SHARE = 0.1
"""The largest part of its time for which the event loop of a proxy waits for answers."""

SAVED, LEAST = 0.03, 0.002
"""Seconds of waiting that can be saved up while nobody asks, and the least that a wait is for."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 60.0
"""Seconds for which a Redis that failed is left alone: at first, and at most."""

Question = Callable[[], Any]


_Asked = tuple[Question, "Future[Any]", float]
"""A question, its future answer, and the `time.monotonic()` at which it was asked."""


class Questions:
    """A thread that asks one question after another. Thread-safe.

    Args:
        what: the thing that is asked for, in the words of the log.
        instead: what counts while Redis does not answer, in the words of the log.
    """

    def __init__(self, what: str, instead: str) -> None:
        self._what, self._instead = what, instead
        self.waits: int = 0
        """The number of refusals that waited for an answer."""
        self._renew()
        in_forked_children(self._renew)

    def _renew(self) -> None:
        """Start from nothing: of all threads, a forked child has only the one that forked."""
        self._lock = threading.Lock()
        self._asked: queue.SimpleQueue[_Asked] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._under_way = False
        self._pause, self._silent_until = 0.0, 0.0
        self._patience, self._refilled = SAVED, time.monotonic()

    def ask(self, question: Question, late: bool = False) -> Future[Any] | None:
        """The answer, which may come later; None if nothing was asked.

        On an error the future is cancelled, because an exception in it would keep frames alive.

        Args:
            late: whether the answer is useful even if no refusal can wait for it any more.
        """
        now = time.monotonic()
        with self._lock:
            patience = self._patience_left(now)
            if self._under_way or now < self._silent_until or not (patience or late or self._pause):
                return None
            if self._thread is None:
                thread = threading.Thread(target=self._run, args=(self._asked,), daemon=True)
                thread.start()  # which raises if the process is ending
                self._thread = thread
            answer: Future[Any] = Future()
            self._under_way = True
        self._asked.put((question, answer, now))
        if patience:
            self._wait(answer, now, patience)
        return answer

    def _patience_left(self, now: float) -> float:
        """Seconds for which a refusal may wait now; called with the lock held."""
        saved = self._patience + SHARE * (now - self._refilled)
        self._patience, self._refilled = min(SAVED, saved), now
        return 0.0 if self._pause or self._patience < LEAST else min(PATIENCE, self._patience)

    def _wait(self, answer: Future[Any], since: float, patience: float) -> None:
        try:
            answer.exception(timeout=patience)
        except Exception:  # the answer is late or cancelled
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
        """Ask nothing for a while; called with the lock held."""
        now = time.monotonic()
        if now >= self._silent_until:
            self._pause = min(max(FIRST_PAUSE, 2 * self._pause), LONGEST_PAUSE)
            self._silent_until = now + self._pause

    def _say(self, why: str) -> None:
        """Log it once for each process, without the text of an error, which may name a password."""
        once(
            logging.WARNING,
            f"Redis cannot be asked for {self._what} ({why}): {self._instead} until it can",
            kind=f"Redis {self._what}",
        )
