"""Where a provider's own wait is found, and when it is none."""

from __future__ import annotations

import time
from email.utils import formatdate
from types import SimpleNamespace

import pytest

from litellm_patch.wait.provider import find_provider_wait

TOLD = {"Retry-After": "7"}


def refused(text: str = "busy", **attributes: object) -> Exception:
    """A provider's 429 as LiteLLM raises it."""
    error = RuntimeError(text)
    for name, value in {"status_code": 429, **attributes}.items():
        setattr(error, name, value)
    return error


def seconds(error: BaseException | None, message: str | None = None) -> float | None:
    found = find_provider_wait(error, message)
    return None if found is None else found.seconds


@pytest.mark.parametrize(
    "attributes",
    [
        {"litellm_response_headers": TOLD},
        {"response": SimpleNamespace(headers=TOLD)},
        {"headers": TOLD},
        {"headers": {"RETRY-AFTER": " 7 ", "x": "9"}},
        # What says nothing usable hides nothing that does.
        {"litellm_response_headers": {"x": "1"}, "headers": TOLD},
        {"litellm_response_headers": "none", "response": None, "headers": TOLD},
        {"response": SimpleNamespace(headers={"retry-after": "soon"}), "headers": TOLD},
    ],
)
def test_it_is_found_wherever_a_release_keeps_it(attributes):
    assert seconds(refused(**attributes)) == 7


def test_the_first_place_that_has_it_decides():
    response = SimpleNamespace(headers={"retry-after": "8"})
    both = refused(litellm_response_headers=TOLD, response=response, headers={"retry-after": "9"})
    assert seconds(both) == 7
    both.litellm_response_headers = None
    assert seconds(both) == 8


@pytest.mark.parametrize(
    "error",
    [
        None,
        RuntimeError("no provider"),
        refused(),
        refused(headers=TOLD, status_code=503),
        refused(headers=TOLD, status_code="429"),
        refused(headers={"retry-after": "7", "Retry-After": "8"}),
        refused(headers={"retry-after": "7.5"}),
        refused(headers={"retry-after": None}),
        refused(headers={"retry-after": 7}),
        refused(headers={"Date": "Sun, 06 Nov 1994 08:49:37 GMT"}),
        refused(headers=[("retry-after", "7")]),
    ],
)
def test_anything_else_tells_nothing(error):
    assert seconds(error) is None


@pytest.mark.parametrize(
    "error, message, below",
    [
        (refused(headers=TOLD), "something else", None),
        (refused(message="busy now", headers=TOLD), "so: busy now", 7),
        (refused("a", message="busy now", headers=TOLD), "a", None),
        (refused(message="", headers=TOLD), "so: busy", 7),
        (refused(message=None, headers=TOLD), "so: busy", 7),
        (refused(headers=TOLD), "so: it failed", None),
        (refused(headers=TOLD), None, 7),
    ],
)
@pytest.mark.parametrize("depth", [0, 1, 3])
def test_below_the_top_the_message_must_say_so(error, message, below, depth):
    for _ in range(depth):
        above = RuntimeError("failed")
        above.__context__, error = error, above
    assert seconds(error, message) == (below if depth else 7)


def test_of_several_the_nearest_decides():
    top, below = refused(headers=TOLD), refused(headers={"retry-after": "3"})
    top.__cause__ = below
    assert seconds(top) == 7
    top.headers = {}
    assert seconds(top) == 3


def test_a_date_counts_from_our_clock_where_the_answer_has_none():
    until = formatdate(time.time() + 3600, usegmt=True)
    for date in ({}, {"Date": "yesterday"}):
        assert 3500 < seconds(refused(headers={"Retry-After": until, **date})) <= 3600


def test_a_date_of_no_use_tells_nothing():
    """Of an answer from 1950, say: more than 68 years are a mistake."""
    headers = {
        "Retry-After": "Sun, 06 Nov 2094 08:49:37 GMT",
        "Date": "Sun, 06 Nov 1994 08:49:37 GMT",
    }
    assert seconds(refused(headers=headers)) is None
