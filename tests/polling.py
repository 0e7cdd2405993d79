"""Wait for what a busy machine brings late. No test sleeps for a fixed time instead."""

from __future__ import annotations

import time
from typing import Callable, TypeVar

import pytest

T = TypeVar("T")


def until(ask: Callable[[], T | None], within: float = 90) -> T:
    """The first answer that is neither None nor False.

    Args:
        within: seconds.
    """
    deadline = time.monotonic() + within
    while True:
        answer = ask()
        if answer is not None and answer is not False:
            return answer
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.02)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What litellm_patch has logged, as a user reads it, sorted."""
    return sorted(each.getMessage() for each in caplog.records if each.name == "litellm_patch")
