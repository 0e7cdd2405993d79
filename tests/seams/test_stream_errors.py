"""The wait of a stream that fails before it begins is found by the message of its error."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

import pytest

from litellm_patch.seams.answer import stream_errors
from litellm_patch.seams.answer.stream_errors import remember

WAIT = {"retry-after": "5"}


@pytest.fixture(autouse=True)
def nothing_kept():
    stream_errors._told.clear()


def answer(error={"message": "refused"}, status=429, **headers):  # noqa: B006
    body = json.dumps({"error": error}).encode()
    made = SimpleNamespace(status_code=status, headers=dict(headers), body=body)
    stream_errors.say_in_its_place(None, {}, made)
    return made.headers


@pytest.mark.parametrize(
    "headers, told",
    [
        ({**WAIT, "retry-after-ms": "4100", "x": "y"}, {**WAIT, "retry-after-ms": "4100"}),
        ({"x-should-retry": "false"}, {"x-should-retry": "false"}),
    ],
)
def test_the_wait_comes_from_the_error_with_the_same_message(headers, told):
    remember("another", {"retry-after": "9"})
    remember("refused", headers)
    assert answer() == told
    assert answer() == {}  # each is for one answer


def test_the_last_wait_for_a_message_counts():
    for headers in (WAIT, {"retry-after": "4"}, {"x": "y"}):
        remember("refused", headers)
    assert answer() == {"retry-after": "4"}


@pytest.mark.parametrize("age, told", [(10.0, WAIT), (10.5, {})])
def test_after_ten_seconds_a_wait_belongs_to_no_stream(monkeypatch, age, told):
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    remember("refused", WAIT)
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0 + age)
    assert answer() == told


def test_the_waits_of_the_last_hundred_errors_are_kept():
    for number in range(101):
        remember(f"refused {number}", WAIT)
    assert answer({"message": "refused 0"}) == {}
    assert answer({"message": "refused 1"}) == WAIT


def test_other_answers_stay_as_they_are():
    remember("refused", WAIT)
    assert answer(status=500) == {}
    assert answer(**{"retry-after": "7"}) == {"retry-after": "7"}
    for error in ({"message": "of something else"}, "refused", None):
        assert answer(error) == {}
