"""The wait of a stream that fails before it begins is found by the message of its error."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

import pytest

from litellm_patch.seams.answer import stream_errors


@pytest.fixture(autouse=True)
def nothing_kept():
    stream_errors._told.clear()


def answer(message="refused", status=429, **headers):
    body = json.dumps({"error": {"message": message}}).encode()
    made = SimpleNamespace(status_code=status, headers=dict(headers), body=body)
    stream_errors.say_in_its_place(None, {}, made)
    return made.headers


def test_the_wait_comes_from_the_error_with_the_same_message():
    stream_errors.remember("another", {"retry-after": "9"})
    stream_errors.remember("refused", {"retry-after": "5", "retry-after-ms": "4100", "x": "y"})
    assert answer() == {"retry-after": "5", "retry-after-ms": "4100"}
    assert answer() == {}  # each is for one answer


def test_that_no_retry_helps_is_said_as_well():
    stream_errors.remember("refused", {"x-should-retry": "false"})
    assert answer() == {"x-should-retry": "false"}


def test_of_several_with_one_message_the_last_counts():
    for seconds in ("5", "4"):
        stream_errors.remember("refused", {"retry-after": seconds})
    assert answer() == {"retry-after": "4"}


def test_what_is_old_belongs_to_another_request(monkeypatch):
    stream_errors.remember("refused", {"retry-after": "5"})
    later = time.monotonic() + 11
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert answer() == {}


def test_other_answers_stay_as_they_are():
    stream_errors.remember("refused", {"retry-after": "5"})
    assert answer(status=500) == {}
    assert answer(**{"retry-after": "7"}) == {"retry-after": "7"}
    assert answer("of something else") == {}


def test_an_age_of_ten_seconds_is_not_too_old(monkeypatch):
    for age, told in ((10.0, {"retry-after": "5"}), (10.5, {})):
        monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
        stream_errors.remember("refused", {"retry-after": "5"})
        monkeypatch.setattr(time, "monotonic", lambda age=age: 1000.0 + age)
        assert answer() == told


def test_an_error_that_tells_no_wait_takes_nobodys_place():
    stream_errors.remember("refused", {"retry-after": "5"})
    stream_errors.remember("refused", {"x": "y"})
    assert answer() == {"retry-after": "5"}


def test_of_many_errors_the_last_hundred_are_kept():
    for number in range(101):
        stream_errors.remember(f"refused {number}", {"retry-after": "5"})
    assert answer("refused 0") == {}
    assert answer("refused 1") == {"retry-after": "5"}


@pytest.mark.parametrize("body", [{"error": "refused"}, {"error": None}, {}])
def test_a_body_of_another_kind_is_left_alone(body):
    stream_errors.remember("refused", {"retry-after": "5"})
    made = SimpleNamespace(status_code=429, headers={}, body=json.dumps(body).encode())
    stream_errors.say_in_its_place(None, {}, made)
    assert made.headers == {}
