"""A forked child has none of its parent's threads, and waits for none of them."""

from __future__ import annotations

import gc
import os
import threading

import pytest

from litellm_patch.wait.forks import Lock, in_forked_children

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


def status_of_child(work) -> int:
    """The exit status of a forked child that does `work`, which returns it."""
    child = os.fork()
    if child == 0:
        os._exit(work())
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("kind", [threading.Lock, threading.RLock])
def test_a_lock_that_another_thread_holds_is_free_in_a_forked_child(kind):
    lock, held, go_on = Lock(kind), threading.Event(), threading.Event()

    def hold():
        with lock:
            held.set()
            go_on.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(30)
    try:
        assert status_of_child(lambda: not lock._lock.acquire(blocking=False)) == 0
        assert not lock._lock.acquire(blocking=False)  # the parent's is the one that it was
    finally:
        go_on.set()
        thread.join()


def test_it_lets_one_thread_in_at_a_time():
    lock = Lock()
    with lock:
        assert not lock._lock.acquire(blocking=False)
    assert lock._lock.acquire(blocking=False)
    lock._lock.release()


class Noted:
    def __init__(self, notes: list[str]) -> None:
        self.notes = notes
        in_forked_children(self.note)

    def note(self) -> None:
        self.notes.append("forked")


def test_a_method_is_called_in_each_child_as_long_as_its_object_lives():
    notes: list[str] = []
    noted = Noted(notes)
    assert status_of_child(lambda: len(notes)) == 1
    assert notes == []  # not in the parent
    del noted
    gc.collect()
    assert status_of_child(lambda: len(notes)) == 0
