"""What becomes of the headers of an error answer."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_patch.wait.delay_seconds import parse_delay_seconds
from litellm_patch.wait.exception_chain import Refusal
from litellm_patch.wait.headers import with_retry_after

BOTH_60 = {"retry-after": "60", "retry-after-ms": "60000"}
NATIVE = frozenset({"60", "30"})
MINUTE = Refusal(60, NATIVE)
LEFT = Refusal(12.5, NATIVE)


def test_the_header_is_added_and_the_others_stay():
    assert with_retry_after({"x": "1"}, MINUTE) == {"x": "1", **BOTH_60}


def test_what_somebody_decided_stays():
    assert with_retry_after({"Retry-After": "5"}, MINUTE) == {"Retry-After": "5"}


def test_litellms_own_configured_time_makes_way_for_the_time_left():
    assert with_retry_after({"retry-after": "60"}, LEFT) == {
        "retry-after": "13",
        "retry-after-ms": "12500",
    }


@pytest.mark.parametrize("invalid", ["16.7596", "", "-1", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_an_invalid_value_makes_way(invalid):
    assert with_retry_after({"Retry-After": invalid}, MINUTE) == BOTH_60


def test_several_headers_become_one():
    both = {"Retry-After": "5", "retry-after": "6"}
    assert with_retry_after(both, MINUTE) == BOTH_60


def test_milliseconds_of_somebody_else_do_not_stay_beside_our_seconds():
    assert with_retry_after({"Retry-After-Ms": "7"}, MINUTE) == BOTH_60


def test_without_a_number_nothing_changes():
    headers = {"a": "b", "retry-after": "oh"}
    assert with_retry_after(headers, Refusal(None)) == headers
    assert with_retry_after({"retry-after": "60"}, Refusal(None, NATIVE)) == {"retry-after": "60"}


def test_litellms_own_number_goes_where_nothing_is_cooling():
    nothing = Refusal(None, NATIVE, endless=True)
    assert with_retry_after({"a": "b", "Retry-After": "60"}, nothing) == {"a": "b"}
    assert with_retry_after({"retry-after": "61"}, nothing) == {"retry-after": "61"}


def test_each_of_litellms_own_numbers_is_recognised():
    assert with_retry_after({"retry-after": "30"}, LEFT)["retry-after"] == "13"


HOUR = Refusal(3500, frozenset({"3600"}), out_of_reach=True)
MINUTES = Refusal(250, frozenset({"300"}), out_of_reach=True)


def test_nothing_is_told_of_what_is_out_of_reach():
    assert with_retry_after({"x": "1"}, MINUTES) == {"x": "1"}


def test_where_it_is_hopeless_clients_are_told_not_to_retry():
    assert with_retry_after({"x": "1"}, HOUR) == {"x": "1", "x-should-retry": "false"}


def test_litellms_own_number_makes_way_for_nothing():
    assert with_retry_after({"retry-after": "300"}, MINUTES) == {}
    assert with_retry_after({"Retry-After": "3600"}, HOUR) == {"x-should-retry": "false"}


def test_what_somebody_decided_stays_also_where_it_is_out_of_reach():
    assert with_retry_after({"retry-after": "5"}, HOUR) == {"retry-after": "5"}
    assert with_retry_after({"x-should-retry": "true"}, HOUR) == {"x-should-retry": "true"}


def test_the_given_mapping_is_not_touched():
    assert with_retry_after(MappingProxyType({"a": "b"}), MINUTE)["a"] == "b"


@given(
    st.dictionaries(st.sampled_from(["retry-after", "Retry-After", "RETRY-AFTER", "x"]), st.text()),
    st.floats(min_value=0, max_value=1e6),
)
def test_there_is_always_exactly_one_valid_value(headers, seconds):
    result = with_retry_after(headers, Refusal(seconds))
    values = [value for name, value in result.items() if name.lower() == "retry-after"]
    assert len(values) == 1
    assert parse_delay_seconds(values[0]) is not None
    if "retry-after-ms" in result:
        assert int(values[0]) == -(-int(result["retry-after-ms"]) // 1000)
