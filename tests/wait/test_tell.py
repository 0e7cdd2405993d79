"""What refused clients are told: how long, in which steps, and who is told what of a queue."""

from __future__ import annotations

import math
from typing import Any

import pytest
from refusals import BASIC, CLOCK, NOW, cooling, provider

from litellm_patch.wait.known_rate import KnownRate
from litellm_patch.wait.pacing import Pacer
from litellm_patch.wait.tell import Teller

ALONE, FORWARD = Teller(), {"forward_provider": True}


def tell(error: BaseException | None, teller: Teller = ALONE, now: float = NOW, **more) -> Any:
    return teller.tell(error, None, {"x": "1"}, now=now, clock=CLOCK, **more)


def seconds(teller: Teller, error: BaseException, now: float = NOW) -> float | None:
    return tell(error, teller, now).seconds


def from_a_provider(error: Exception | None = None) -> Exception:
    """A provider's 429, or an error that it brought about."""
    refused = provider(headers={"Retry-After": "7"})
    if error is None:
        return refused
    error.__context__ = refused
    return error


@pytest.mark.parametrize(
    "error, more, headers",
    [
        (None, FORWARD, None),
        (ValueError("boom"), FORWARD, None),
        (from_a_provider(), {}, None),
        (from_a_provider(), FORWARD, {"retry-after": "7", "retry-after-ms": "7000"}),
        # The router's number goes before the provider's.
        (from_a_provider(cooling(12.5)), FORWARD, {"retry-after": "13", "retry-after-ms": "12500"}),
        (cooling(None), {}, {}),
    ],
)
def test_a_refusal_is_told_beside_the_headers_that_are_there(error, more, headers):
    told = tell(error, **more)
    assert (told and told.headers) == (None if headers is None else {"x": "1", **headers})


@pytest.mark.parametrize(
    "left, honoured, most, told",
    [
        # What everybody honours is 60 s, and two retries reach 119.
        (59.0, None, None, "59"),
        (90.0, None, None, "59"),
        (130.0, None, None, None),
        # A client that is known to honour more.
        (90.0, 120.0, None, "90"),
        (130.0, 120.0, None, "118"),
        (250.0, 120.0, None, None),
        # The operator knows the clients better.
        (90.0, None, 100.0, "90"),
        (90.0, 120.0, 60.0, "59"),
        (9000.0, None, math.inf, "9000"),
    ],
)
def test_no_client_is_told_more_than_it_acts_on(left, honoured, most, told):
    found = tell(cooling(left, honoured=honoured), Teller(max_wait=most))
    assert found.headers.get("retry-after") == told


@pytest.mark.parametrize(
    "left, clients, step, nothing",
    [
        (None, 1, False, True),
        (0.5, 1, False, False),
        (60.0, 1, False, False),  # a millisecond less is told
        (90.0, 1, True, False),
        (130.0, 1, False, True),
        (30.0, 20, False, False),  # later than the cooldown's end
        (30.0, 40, True, False),  # whose place is too late is told to come before its end
    ],
)
def test_it_is_known_whether_a_client_is_told_a_step_or_nothing(left, clients, step, nothing):
    teller = Teller(Pacer(rate=1))
    for _ in range(clients):
        told = tell(cooling(left), teller)
    assert (told.is_step, told.is_nothing) == (step, nothing)


def test_what_is_out_of_reach_is_no_place_in_the_queue():
    teller = Teller(Pacer(rate=1))
    assert tell(cooling(300), teller).headers == {"x": "1"}
    assert tell(cooling(700), teller).headers == {"x": "1", "x-should-retry": "false"}
    assert len(teller.pacer) == 0


def test_clients_of_a_group_return_one_after_another():
    teller = Teller(Pacer(rate=1))
    assert [seconds(teller, cooling(30)) for _ in range(4)] == [30, 31, 32, 33]
    assert seconds(teller, cooling(30, queue="another")) == 30


def test_an_error_that_is_answered_twice_has_one_place():
    teller = Teller(Pacer(rate=1))
    first, second = cooling(30), cooling(30)
    assert [seconds(teller, each) for each in (first, second, first, second)] == [30, 31, 30, 31]
    assert seconds(teller, second, NOW + 10) == 21
    assert seconds(teller, cooling(30), NOW + 10) == 22


def test_a_place_that_has_passed_is_told_as_now_but_not_as_zero():
    error, teller = cooling(30), Teller(Pacer())
    seconds(teller, error)
    told = tell(error, teller, NOW + 40)
    assert told.headers == {"x": "1", "retry-after": "1", "retry-after-ms": "1"}


def test_a_place_is_as_far_as_a_client_acts_and_a_step_a_little_less():
    teller = Teller(Pacer(rate=1))
    places = [seconds(teller, cooling(30)) for _ in range(31)]
    assert (places[29], places[30]) == (59, 59.999)
    steps = [seconds(teller, cooling(90, queue="long")) for _ in range(200)]
    assert 58.5 < max(steps) <= 59
    assert 30 <= min(steps) < 31


def test_what_is_known_of_the_group_decides_the_rate():
    teller = Teller(Pacer())
    slow = [cooling(30, rate=lambda: KnownRate(limit=0.5)) for _ in range(3)]
    assert [seconds(teller, each) for each in slow] == [30, 32, 34]


def test_the_length_of_a_cooldown_tells_whether_it_is_a_relapse():
    """The next cooldown is noticed late, and began while the queue of the last one was to come."""
    rates = []
    for length in (None, 30.0):
        teller = Teller(Pacer())
        for _ in range(30):
            seconds(teller, cooling(5))
        seconds(teller, cooling(36, cooldown=length), NOW + 20)
        rates.append(teller.pacer.rate("m"))
    assert rates[0] > rates[1]


def test_a_limit_ends_for_all_clients_at_once():
    teller = Teller(Pacer(rate=1))
    assert [seconds(teller, BASIC("x")) for _ in range(3)] == [7.5] * 3
