"""How long a cooldown still lasts, whatever the caches hold about it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_patch.wait.cooldown_records import (
    HeldCooldown,
    first_ready,
    seconds_left,
    usable_timestamp,
)

NOW = 1_795_000_000.0


def held(began: object = NOW - 20, lasts: object = 60, **more: object) -> HeldCooldown:
    return HeldCooldown({"timestamp": began, "cooldown_time": lasts}, **more)


def test_the_time_left_is_told_and_not_the_configured_one():
    assert seconds_left(held(), NOW) == 40


def test_an_entry_that_expires_earlier_decides():
    # LiteLLM issue #40130: cooled again, recorded with 60 s, while the entry expires after 1 s.
    assert seconds_left(held(began=NOW, lasts=60, expires_at=NOW + 1), NOW) == 1


def test_an_entry_that_stays_longer_does_not_prolong_the_cooldown():
    assert seconds_left(held(expires_at=NOW + 600), NOW) == 40


def test_a_record_that_is_over_but_still_held_lasts_as_long_as_it_is_held():
    assert seconds_left(held(began=NOW - 61, expires_at=NOW + 30), NOW) == 30


def test_a_cooldown_that_is_over_has_nothing_left():
    assert seconds_left(held(began=NOW - 100), NOW) == 0
    assert seconds_left(held(began=NOW - 100, expires_at=NOW - 40), NOW) == 0


def test_the_shared_cache_knows_better_than_a_foreign_clock():
    assert seconds_left(held(began=NOW - 25, shared_seconds=40.0), NOW) == 40
    assert seconds_left(held(began=NOW - 15, shared_seconds=40.0), NOW) == 40


def test_the_last_second_in_the_shared_cache_counts():
    assert seconds_left(held(shared_seconds=0.5), NOW) == 0.5


@pytest.mark.parametrize("dropped", [-1.0, 0.0])
def test_what_the_shared_cache_has_dropped_is_decided_here(dropped):
    assert seconds_left(held(shared_seconds=dropped, expires_at=NOW + 9), NOW) == 9


def test_a_clock_that_was_set_back_never_tells_more_than_the_whole_cooldown():
    assert seconds_left(held(began=NOW + 3600), NOW) == 60


def test_a_clock_that_was_set_forward_ends_the_cooldown():
    assert seconds_left(held(began=NOW - 3600), NOW) == 0


@pytest.mark.parametrize(
    "record",
    [None, {}, [], "text", b"{}", 5, {"timestamp": NOW}, {"cooldown_time": 60}]
    + [
        {"timestamp": began, "cooldown_time": 60}
        for began in ("x", None, -1, math.nan, 1e300, True)
    ]
    + [
        {"timestamp": NOW, "cooldown_time": lasts} for lasts in ("60", None, -1, math.nan, math.inf)
    ],
)
def test_a_half_written_or_foreign_record_tells_nothing_but_its_expiry(record):
    assert seconds_left(HeldCooldown(record), NOW) is None
    assert seconds_left(HeldCooldown(record, expires_at=NOW + 7), NOW) == 7


def test_the_first_deployment_to_be_ready_decides():
    assert first_ready([held(lasts=60), held(lasts=25), held(lasts=90)], NOW) == 5


def test_unusable_records_do_not_hide_the_usable_ones():
    assert first_ready([HeldCooldown("?"), held()], NOW) == 40


def test_without_any_cooldown_nothing_is_known():
    assert first_ready([], NOW) is None
    assert first_ready([HeldCooldown(None)], NOW) is None


@pytest.mark.parametrize(
    "value, seconds",
    [
        (0.5, 0.5),
        (NOW, NOW),
        (253_402_300_799, 253_402_300_799),
        (0, None),  # what a field that was never written says
        (253_402_300_800, None),  # the year 10000
        (math.nan, None),
        (True, None),
    ],
)
def test_a_timestamp_is_a_time_of_our_era(value, seconds):
    assert usable_timestamp(value) == seconds


ANYTHING = st.one_of(st.none(), st.floats(), st.integers(), st.text(), st.booleans())


@given(ANYTHING, ANYTHING, st.one_of(st.none(), st.floats()), st.one_of(st.none(), st.floats()))
def test_nothing_raises_or_tells_a_negative_time(began, lasts, expires_at, shared):
    left = seconds_left(held(began, lasts, expires_at=expires_at, shared_seconds=shared), NOW)
    assert left is None or 0 <= left < math.inf
