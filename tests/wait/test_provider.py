"""Where a provider's own wait is found, and when it is none."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from refusals import below, provider

from litellm_patch.wait.provider import find_provider_wait

TOLD = {"Retry-After": "7"}
ANSWERED = "Sun, 06 Nov 1994 08:49:37 GMT"
CLOCK = 784_111_777.0  # the same moment


def seconds(error: BaseException | None, message: str | None = None) -> float | None:
    found = find_provider_wait(error, message, CLOCK)
    return None if found is None else found.seconds


@pytest.mark.parametrize(
    "attributes",
    [
        {"litellm_response_headers": TOLD},
        {"response": SimpleNamespace(headers=TOLD)},
        {"headers": {"RETRY-AFTER": " 7 ", "x": "9"}},
        # Without a usable value the next place counts.
        {"litellm_response_headers": {"x": "1"}, "headers": TOLD},
        {"litellm_response_headers": "none", "response": None, "headers": TOLD},
        {"response": SimpleNamespace(headers={"retry-after": "soon"}), "headers": TOLD},
        # Of several the first decides.
        {"litellm_response_headers": TOLD, "response": SimpleNamespace(headers={"retry-after": 8})},
        {"response": SimpleNamespace(headers=TOLD), "headers": {"retry-after": "9"}},
    ],
)
def test_the_wait_is_found_wherever_a_release_keeps_it(attributes):
    assert seconds(provider(**attributes)) == 7


@pytest.mark.parametrize(
    "error",
    [
        None,
        RuntimeError("no provider"),
        provider(),
        provider(headers=TOLD, status_code=503),
        provider(headers=TOLD, status_code="429"),
        provider(headers={"retry-after": "7", "Retry-After": "8"}),
        provider(headers={"retry-after": "7.5"}),
        provider(headers={"Date": ANSWERED}),
        provider(headers=[("retry-after", "7")]),
    ],
)
def test_anything_else_tells_nothing(error):
    assert seconds(error) is None


@pytest.mark.parametrize(
    "error, message, expected",
    [
        (provider(headers=TOLD), "something else", None),
        (provider(message="busy now", headers=TOLD), "so: busy now", 7),
        (provider("a", message="busy now", headers=TOLD), "a", None),
        (provider(message="", headers=TOLD), "so: busy", 7),
        (provider(message=None, headers=TOLD), "so: busy", 7),
        (provider(headers=TOLD), "so: it failed", None),
        (provider(headers=TOLD), None, 7),
    ],
)
def test_below_the_top_the_message_must_say_so(error, message, expected):
    assert seconds(error, message) == 7
    assert seconds(below(error), message) == expected
    assert seconds(below(below(below(error))), message) == expected


def test_of_several_the_nearest_decides():
    top, beneath = provider(headers=TOLD), provider(headers={"retry-after": "3"})
    top.__cause__ = beneath
    assert seconds(top) == 7
    top.headers = {}
    assert seconds(top) == 3


@pytest.mark.parametrize(
    "until, answered, expected",
    [
        # The three forms of RFC 9110 §5.6.7; the last two are obsolete and must be understood.
        ("Sun, 06 Nov 1994 08:50:37 GMT", "Sun, 06 Nov 1994 08:49:07 GMT", 90),
        ("Sunday, 06-Nov-94 08:50:37 GMT", ANSWERED, 60),
        ("Sun Nov  6 08:50:37 1994", ANSWERED, 60),
        # By our clock where the answer has no date.
        ("Sun, 06 Nov 1994 08:50:37 GMT", None, 60),
        ("Sun, 06 Nov 1994 08:50:37 GMT", "yesterday", 60),
        ("Sun, 06 Nov 1994 08:00:00 GMT", None, 0.001),
        ("Sun, 06 Nov 2094 08:49:37 GMT", ANSWERED, None),  # more than 68 years are a mistake
    ],
)
def test_a_date_counts_from_the_date_of_its_answer(until, answered, expected):
    """The provider's clock wrote both; ours may differ."""
    headers = {"Retry-After": until, **({"Date": answered} if answered else {})}
    assert seconds(provider(headers=headers)) == expected
