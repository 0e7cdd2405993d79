"""Which moments the clients of a cooling group get, and what the queue learns."""

from __future__ import annotations

import math
import random
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_patch.wait import pacing
from litellm_patch.wait.pacing import KnownRate, Pacer

READY = 1000.0
times = st.floats(0, 1e6)


def queue(pacer: Pacer, clients: int, ready_at: float = READY, now: float | None = None, **known):
    now = ready_at - 5 if now is None else now
    return [pacer.place("group", now, ready_at, KnownRate(**known)) for _ in range(clients)]


def test_a_lone_client_returns_at_the_cooldowns_end():
    assert queue(Pacer(), 1) == [READY]


def test_the_first_clients_return_faster_and_the_rest_at_the_rate():
    places = queue(Pacer(), 30)
    gaps = [pacing.START * (b - a) for a, b in zip(places, places[1:])]
    in_the_head = int(pacing.HEAD * pacing.START)
    assert gaps[:in_the_head] == pytest.approx([1 / pacing.HEAD_FACTOR] * in_the_head)
    assert gaps[in_the_head + 1 :] == pytest.approx([1] * (28 - in_the_head))


def test_thirty_clients_are_back_within_two_seconds():
    places = queue(Pacer(), 30)
    assert places[15] - READY < 0.9
    assert places[-1] - READY < 2


def test_a_group_that_has_relapsed_gets_no_head_start():
    pacer = Pacer()
    queue(pacer, 30)
    places = queue(pacer, 3, READY + 6)
    assert places[1] - places[0] == pytest.approx(1 / (pacing.START * pacing.SLOWER))


def test_groups_do_not_wait_for_each_other():
    pacer = Pacer(rate=1)
    queue(pacer, 10)
    assert pacer.place("other", READY - 5, READY) == READY


def test_a_place_whose_moment_has_passed_is_gone():
    pacer = Pacer(rate=1)
    queue(pacer, 3)
    assert pacer.place("group", READY + 100, READY) == READY + 100


def test_an_end_that_is_computed_again_is_the_same_end():
    pacer = Pacer(rate=1)
    first = queue(pacer, 5)[-1]
    assert pacer.place("group", READY - 4, READY + 0.01) > first


def test_an_earlier_end_begins_a_new_queue_there():
    pacer = Pacer(rate=1)
    queue(pacer, 20)
    assert pacer.place("group", READY - 20, READY - 10) == READY - 10


def test_a_wait_that_sdks_honour_is_not_pushed_beyond_it():
    now = READY - 58
    assert max(queue(Pacer(rate=1), 200, now=now)) <= now + pacing.HONOURED


def test_a_full_queue_goes_round_evenly():
    places = queue(Pacer(rate=10), 5000, now=READY - 10)
    in_each_second = [sum(READY + s <= p < READY + s + 1 for p in places) for s in range(50)]
    assert max(in_each_second) <= 1.2 * min(in_each_second)


def cooldown(pacer: Pacer, ready_at: float, clients: int = 30, **known) -> float:
    """One cooldown that ends at `ready_at`, first noticed 5 s before; the rate of its queue."""
    places = queue(pacer, clients, ready_at, **known)
    return (clients - 10) / (places[-1] - places[9])


def test_a_relapse_makes_the_queue_slower():
    pacer = Pacer()
    first = cooldown(pacer, READY)
    slower = [cooldown(pacer, READY + 6 * n) for n in (1, 2, 3)]  # each begins 1 s after the last
    assert first > slower[0] > slower[1] > slower[2]


def test_a_recovery_that_held_makes_the_queue_faster():
    pacer = Pacer()
    first = cooldown(pacer, READY)
    faster = [cooldown(pacer, READY + 60 * n) for n in (1, 2, 3)]
    assert first < faster[0] < faster[1] < faster[2]


@pytest.mark.parametrize("noticed, slower", [(0.5, True), (9, True), (20, False)])
def test_a_relapse_that_is_noticed_late_is_one(noticed, slower):
    pacer = Pacer()
    queue(pacer, 30)
    ready_at = READY + 11 if slower else READY + 30  # of a cooldown of 10 s
    pacer.place("group", READY + noticed, ready_at, cooldown=10)
    assert (pacer.rate("group") < pacing.START) == slower


def test_a_length_that_cannot_be_true_is_not_believed():
    pacer = Pacer()
    queue(pacer, 30)
    pacer.place("group", READY + 60, READY + 61, cooldown=100)
    assert pacer.rate("group") > pacing.START


def test_a_failure_long_after_the_end_is_no_relapse_although_the_queue_goes_on():
    pacer = Pacer()
    first = cooldown(pacer, READY, clients=150)
    assert cooldown(pacer, READY + 5 + pacing.PROVEN + 1) > first


def test_a_queue_too_short_to_show_anything_teaches_nothing():
    pacer = Pacer()
    for n in range(5):
        queue(pacer, 2, READY + 60 * n)
    assert pacer.rate("group") == pacing.START


def test_a_slow_group_recovers_without_a_long_queue():
    pacer = Pacer()
    for n in range(10):
        cooldown(pacer, READY + 6 * n)
    assert pacer.rate("group") == pacing.SLOWEST
    for n in range(1, 30):
        queue(pacer, 1, READY + 60 + 60 * n)
    assert pacer.rate("group") >= pacing.START


def test_ends_that_have_passed_teach_nothing():
    pacer = Pacer()
    queue(pacer, 30)
    assert [pacer.place("group", READY + n, READY + n) for n in (3, 4, 5)] == [1003, 1004, 1005]
    assert pacer.rate("group") == pacing.START


def test_another_end_during_the_cooldown_is_no_relapse():
    pacer = Pacer()
    queue(pacer, 30, READY)
    pacer.place("group", READY - 3, READY + 10)
    assert pacer.rate("group") == pacing.START


def test_a_configured_limit_is_never_exceeded():
    pacer = Pacer()
    rates = [cooldown(pacer, READY + 60 * n, limit=5.0) for n in range(10)]
    assert rates[0] == pytest.approx(5 * pacing.SHARE_OF_LIMIT)
    assert max(rates) <= 5.001


def test_what_the_group_served_before_is_where_the_queue_begins():
    assert cooldown(Pacer(), READY, 200, served=50.0) == pytest.approx(50, rel=0.15)
    assert cooldown(Pacer(), READY, 200, served=0.1) == pytest.approx(pacing.START, rel=0.1)


def test_a_fixed_rate_learns_nothing():
    pacer = Pacer(rate=7)
    assert [cooldown(pacer, READY + 6 * n) for n in range(3)] == pytest.approx([7, 7, 7])


def test_workers_share_the_rate_and_do_not_step_in_time():
    pacers = [Pacer(rate=20, workers=4, random=random.Random(n)) for n in range(4)]
    places = sorted(place for pacer in pacers for place in queue(pacer, 25))
    assert 90 / (places[-1] - places[9]) == pytest.approx(20, rel=0.15)
    late = [place for place in places if place > READY]
    assert len(set(late)) == len(late) > 80


def test_memory_is_bounded_by_groups():
    pacer = Pacer(groups=10)
    for n in range(1000):
        pacer.place(f"group-{n}", 0, READY)
    assert len(pacer) == 10
    assert pacer.rate("group-999") is not None
    assert pacer.rate("group-0") is None


@given(
    rate=st.none() | st.floats(),
    workers=st.integers(-3, 50),
    limit=st.none() | st.floats(),
    served=st.none() | st.floats(),
    asked=st.lists(st.tuples(times, times), max_size=60),
)
def test_no_place_is_before_the_cooldowns_end_or_in_the_past(rate, workers, limit, served, asked):
    pacer = Pacer(rate, workers)
    for now, ready_at in asked:  # the clock may go backwards
        place = pacer.place("group", now, ready_at, KnownRate(limit, served))
        earliest = max(now, ready_at)
        assert earliest <= place <= max(now + pacing.HONOURED, earliest + pacing.LONGEST_QUEUE)


@given(st.lists(st.floats(0, 20), max_size=100), st.floats(1, 500))
def test_places_for_one_end_come_in_the_order_of_asking(waits, rate):
    pacer = Pacer(rate)
    moments = sorted(READY - wait for wait in waits)
    places = [pacer.place("group", now, READY) for now in moments]
    if places and max(places) < READY - 20 + pacing.HONOURED:  # the queue did not go round
        assert places == sorted(places)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_time_that_is_no_number_changes_nothing(bad):
    pacer = Pacer()
    assert pacer.place("group", bad, READY) == READY
    assert pacer.place("group", 0, bad) is bad
    assert queue(pacer, 1) == [READY]


@pytest.mark.parametrize("rate", [math.nan, math.inf, 0.0, -1.0])
def test_what_is_no_rate_leaves_it_to_be_learned(rate):
    assert queue(Pacer(rate), 20) == queue(Pacer(), 20)


def test_threads_get_different_places():
    pacer, places = Pacer(rate=500), []

    def ask():
        for _ in range(500):
            places.append(pacer.place("group", READY - 5, READY))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    late = [place for place in places if place > READY]
    assert len(set(late)) == len(late) >= 3700
