"""Locks in forked children: of all threads, a child has only the one that forked."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any, Callable


class Lock:
    """A lock that a forked child finds free, whoever held it in the parent.

    Args:
        kind: makes the lock of the standard library behind it.
    """

    def __init__(self, kind: Callable[[], Any] = threading.Lock) -> None:
        self._kind = kind
        self._renew()
        in_forked_children(self._renew)

    def _renew(self) -> None:
        self._lock = self._kind()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()


def in_forked_children(method: Callable[[], None]) -> None:
    """Call a bound method in each forked child of this process, as long as its object lives."""
    if hasattr(os, "register_at_fork"):  # POSIX
        alive = weakref.WeakMethod(method)
        os.register_at_fork(after_in_child=lambda: (alive() or bool)())
