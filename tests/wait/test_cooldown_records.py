"""How long a cooldown still lasts, whatever the caches hold about it."""

from __future__ import annotations

import math

import pytest

from litellm_patch.wait.cooldown_records import (
    HeldCooldown,
    first_to_end,
    seconds_left,
    usable_timestamp,
)

NOW = 1_795_000_000.0


def held(began: object = NOW - 20, lasts: object = 60, **more: object) -> HeldCooldown:
    return HeldCooldown({"timestamp": began, "cooldown_time": lasts}, **more)


@pytest.mark.parametrize(
    "cooldown, left",
    [
        pytest.param(held(), 40, id="the time left, not the configured one"),
        # LiteLLM issue #40130: cooled again, recorded with 60 s, while the entry expires after 1 s.
        pytest.param(held(began=NOW, expires_at=NOW + 1), 1, id="an entry that expires earlier"),
        pytest.param(held(expires_at=NOW + 600), 40, id="an entry that stays longer"),
        pytest.param(held(began=NOW - 61, expires_at=NOW + 30), 30, id="over, but still held"),
        pytest.param(held(began=NOW - 100), 0, id="over"),
        pytest.param(held(began=NOW - 100, expires_at=NOW - 40), 0, id="over and dropped"),
        pytest.param(held(began=NOW + 3600), 60, id="a clock that was set back"),
        pytest.param(held(began=NOW - 25, shared_seconds=40.0), 40, id="a foreign clock behind"),
        pytest.param(held(began=NOW - 15, shared_seconds=40.0), 40, id="a foreign clock ahead"),
        pytest.param(held(shared_seconds=0.5), 0.5, id="the last second in the shared cache"),
        pytest.param(held(shared_seconds=0.0, expires_at=NOW + 9), 9, id="dropped there now"),
        pytest.param(held(shared_seconds=-1.0, expires_at=NOW + 9), 9, id="dropped there"),
    ],
)
def test_seconds_left(cooldown, left):
    assert seconds_left(cooldown, NOW) == left


@pytest.mark.parametrize(
    "record",
    [None, {}, [], "text", b"{}", 5, {"timestamp": NOW}, {"cooldown_time": 60}]
    + [{"timestamp": began, "cooldown_time": 60} for began in ("x", None, -1, math.nan, True)]
    + [{"timestamp": NOW, "cooldown_time": lasts} for lasts in ("60", None, -1, math.inf)],
)
def test_a_half_written_or_foreign_record_tells_nothing_but_its_expiry(record):
    assert seconds_left(HeldCooldown(record), NOW) is None
    assert seconds_left(HeldCooldown(record, expires_at=NOW + 7), NOW) == 7


def test_the_first_deployment_to_be_ready_decides():
    first = held(lasts=25)
    cooldowns = [HeldCooldown("?"), held(lasts=60), first, held(lasts=90)]
    assert first_to_end(cooldowns, NOW) == (5, first)


@pytest.mark.parametrize("cooldowns", [[], [HeldCooldown(None)]])
def test_without_a_usable_cooldown_nothing_is_known(cooldowns):
    assert first_to_end(cooldowns, NOW) is None


@pytest.mark.parametrize(
    "value, seconds",
    [
        (0.5, 0.5),
        (253_402_300_799, 253_402_300_799),
        (0, None),  # a field that was never written
        (253_402_300_800, None),  # the year 10000
        (math.nan, None),
        (True, None),
    ],
)
def test_a_timestamp_is_a_time_of_our_era(value, seconds):
    assert usable_timestamp(value) == seconds
