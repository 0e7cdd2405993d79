"""How many seconds a header says."""

from __future__ import annotations

import math
import time

import pytest

from litellm_patch.wait.delay_seconds import (
    delay_milliseconds,
    delay_seconds,
    parse_delay_seconds,
    parse_http_date,
    usable_seconds,
)


@pytest.mark.parametrize(
    "seconds, header, milliseconds",
    [(0, "0", "0"), (1e-12, "1", "1"), (0.0004, "1", "1"), (1, "1", "1000"), (1.001, "2", "1001")]
    + [(41.2, "42", "41200"), (60, "60", "60000"), (2109809.859, "2109810", "2109809859")]
    + [(2147483647, "2147483647", "2147483647000")],
)
def test_a_header_is_whole_and_rounded_up(seconds, header, milliseconds):
    assert delay_seconds(usable_seconds(seconds)) == header
    assert delay_milliseconds(usable_seconds(seconds)) == milliseconds


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, -1, -0.001, None, "60", b"60", True, [], {}, object(), 1j]
    + [2**31, 10**400, 1e300],
)
def test_other_values_are_no_seconds(value):
    assert usable_seconds(value) is None


@pytest.mark.parametrize(
    "value, seconds",
    [(" 7 ", 7), ("2147483647", 2147483647)]
    + [
        (other, None) for other in ("16.75", "-1", "", "soon", "\uff11", "1e3", "9" * 5000, None, 5)
    ],
)
def test_a_valid_header_value_is_digits(value, seconds):
    assert parse_delay_seconds(value) == seconds


@pytest.fixture
def far_from_greenwich(monkeypatch):
    monkeypatch.setenv("TZ", "EST5")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system has no tzset")
@pytest.mark.usefixtures("far_from_greenwich")
@pytest.mark.parametrize(
    "date",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 10:49:37 +0200",
    ],
)
def test_a_date_is_the_same_moment_in_every_zone(date):
    assert parse_http_date(date) == 784_111_777


@pytest.mark.parametrize(
    "value",
    [None, 5, b"Sun, 06 Nov 1994 08:49:37 GMT", "soon", "", "Sun, 99 Nov 1994 08:49:37 GMT", "Nov"]
    + ["9" * 400, "9999-01-01"],
)
def test_other_values_are_no_date(value):
    assert parse_http_date(value) is None
