"""Which moments the clients of a cooling group get, and what the queue learns."""

from __future__ import annotations

import math
import os
import random
import signal
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_patch.wait import known_rate, learned_pace, pacing
from litellm_patch.wait.known_rate import START, KnownRate
from litellm_patch.wait.pacing import Pacer
from litellm_patch.wait.shared_part import SharedPlace

READY = 1000.0
times = st.floats(0, 1e6)


def queue(pacer: Pacer, clients: int, ready_at: float = READY, now: float | None = None, **known):
    now = ready_at - 5 if now is None else now
    return [pacer.place("group", now, ready_at, KnownRate(**known)) for _ in range(clients)]


def test_a_lone_client_returns_at_the_cooldowns_end():
    assert queue(Pacer(), 1) == [READY]


@pytest.mark.parametrize("cooldown, doubles", [(1, 5), (10, 5), (20, 10), (60, 30), (90, 30)])
def test_a_queue_becomes_twice_as_fast_sooner_behind_a_short_cooldown(cooldown, doubles):
    pacer = Pacer()
    places = [pacer.place("group", READY - 1, READY, cooldown=cooldown) for _ in range(300)]
    assert_doubles(places, known_rate.START, doubles)


def test_after_a_relapse_a_queue_becomes_faster_later():
    pacer = Pacer()
    queue(pacer, 30)
    nows = [READY, *299 * [READY + 5]]
    places = [pacer.place("group", now, READY + 10, cooldown=10) for now in nows]
    assert_doubles(places, known_rate.START * learned_pace.SLOWER, 40, power=3)


def assert_doubles(places: list[float], rate: float, seconds: float, power: int = 1) -> None:
    for a, b in zip(places, places[1:]):
        assert 1 / (b - a) == pytest.approx(rate * (1 + ((a - places[0]) / seconds) ** power))


def test_a_short_queue_that_is_refused_late_is_not_faster():
    """What counts is the queue before a client, not how long ago the cooldown ended."""
    pacer = Pacer()
    queue(pacer, 1)
    places = [pacer.place("group", READY + 40, READY) for _ in range(2)]
    assert places == [READY + 40, pytest.approx(READY + 40 + 1 / known_rate.START)]


@pytest.mark.parametrize("cooldown, seconds", [(10, 2.58), (60, 3.08)])
def test_thirty_clients_are_back_within_five_seconds(cooldown, seconds):
    pacer = Pacer()
    places = [pacer.place("group", READY - 1, READY, cooldown=cooldown) for _ in range(30)]
    assert places[-1] - READY == pytest.approx(seconds, abs=0.05)


def test_groups_do_not_wait_for_each_other():
    pacer = Pacer(rate=1)
    queue(pacer, 10)
    assert pacer.place("other", READY - 5, READY) == READY


def test_a_place_whose_moment_has_passed_is_gone():
    pacer = Pacer(rate=1)
    queue(pacer, 3)
    assert pacer.place("group", READY + 100, READY) == READY + 100


def test_an_end_that_another_proxy_sees_begins_no_queue():
    """It was refused by the provider while the first cooldown lasted."""
    pacer = Pacer(rate=1)
    given = [pacer.place("group", READY - 5, end, cooldown=10) for end in (READY, READY + 2.5)]
    given += [pacer.place("group", READY - 4, end, cooldown=10) for end in (READY, READY + 2.5)]
    assert given == [READY, READY + 2.5, READY + 3.5, READY + 4.5]


@pytest.mark.parametrize("cooldown", [None, 10])
def test_an_earlier_end_begins_a_new_queue_there(cooldown):
    """Even where that end was the begin of the cooldown that is waited for."""
    pacer = Pacer(rate=1)
    queue(pacer, 20, now=READY - 20)
    assert pacer.place("group", READY - 15, READY - 10, cooldown=cooldown) == READY - 10


@pytest.mark.parametrize("honoured", [5.0, 60.0, 120.0])
@pytest.mark.parametrize("left", [1.0, 40.0, 58.0, 59.5, 90.0, 115.0])
def test_no_client_is_told_more_than_it_honours(left, honoured):
    pacer, now = Pacer(rate=1), READY - left
    places = [pacer.place("g", now, READY, honoured=honoured) for _ in range(300)]
    assert now < min(places)
    assert max(places) <= now + honoured
    assert len(set(places)) == 300


@pytest.mark.parametrize("left, have_places", [(55, 6), (30, 31)])
def test_who_does_not_honour_its_place_comes_back_shortly_before_the_end(left, have_places):
    pacer, now = Pacer(rate=1), READY - left
    places = queue(pacer, have_places + 20, now=now)
    assert places[:have_places] == [READY + n for n in range(have_places)]
    early = places[have_places:]
    # In the second half of the wait, but for its last twentieth.
    last = READY - left / 20
    assert (now + last) / 2 <= min(early) < max(early) <= last
    # From each of those moments the place that was too late is one that is honoured.
    assert all(pacer.place("group", moment, READY) >= READY for moment in sorted(early))


def test_an_earlier_moment_is_no_place():
    """Who was told one has none yet: the queue is as long as without it."""
    pacer, now = Pacer(rate=1), READY - 70
    early = [pacer.place("group", now, READY) for _ in range(50)]
    assert max(early) < READY
    assert pacer.place("group", READY - 5, READY) == READY
    assert pacer.place("group", READY - 5, READY) == READY + 1


def test_a_full_queue_goes_round_evenly():
    # The place of the last one cannot be told before the end either.
    now = READY - 10
    pacer = Pacer(rate=10)
    queue(pacer, 10)
    pacer._queues["group"].next_arrival = READY + 61
    places = [pacer.place("group", now, READY) for _ in range(500)]
    in_each_second = [sum(READY + s <= p < READY + s + 1 for p in places) for s in range(50)]
    assert max(in_each_second) - min(in_each_second) <= 3
    assert min(places) < READY + 1


def test_after_the_end_a_full_queue_goes_round_from_now():
    pacer = Pacer(rate=0.5)
    now = READY + 10
    places = [pacer.place("group", now, READY) for _ in range(100)]
    assert places[:31] == [now + 2 * n for n in range(31)]
    assert now <= min(places[31:]) < now + 5
    assert now + 55 < max(places[31:]) <= now + 60


def test_a_bad_limit_of_a_client_is_the_usual_one():
    now = READY - 90
    for bad in (0.0, -1.0, math.nan):
        pacer = Pacer()
        assert now + 30 <= pacer.place("group", now, READY, honoured=bad) <= now + 60


@pytest.mark.parametrize("limit", [5.0, 1.0, 0.2, 1 / 60])
def test_a_configured_limit_is_never_exceeded(limit):
    pacer = Pacer()
    for n in range(6):
        places = queue(pacer, 8, READY + 600 * n, limit=limit)
        in_order = [place for place in places if place <= READY + 600 * n - 5 + 60][:3]
        gaps = [b - a for a, b in zip(in_order, in_order[1:]) if b > a]
        assert all(gap >= 1 / limit - 1e-6 for gap in gaps if gap > 0 and limit >= 0.2)


@pytest.mark.parametrize(
    "known, rate",
    [
        ({"limit": 12.0}, 6),
        ({"limit": 1.5}, 1),
        ({"limit": 0.5}, 0.5),
        ({"served": 50.0}, 50),
        ({"served": 0.1}, known_rate.START),
        ({"served": 9e9}, 500),
    ],
    ids=str,
)
def test_a_queue_begins_with_half_of_the_limit_or_with_what_the_group_served(known, rate):
    first, second = queue(Pacer(), 2, **known)
    assert 1 / (second - first) == pytest.approx(rate)


def test_a_long_queue_does_not_grow_beyond_the_limit():
    places = queue(Pacer(), 300, limit=8.0)
    assert min(b - a for a, b in zip(places, places[1:])) == pytest.approx(1 / 8)


@pytest.mark.parametrize("slow", [{"limit": 1 / 60}, {}], ids=["a limit", "the operator's rate"])
def test_less_than_one_a_second_is_kept_and_nobody_pushed_too_far(slow):
    now = READY - 20
    pacer = Pacer(rate=None if slow else 1 / 60)
    places = queue(pacer, 60, now=now, **slow)
    assert places[0] == READY
    assert max(places) <= now + 60
    assert READY <= min(places)
    again = [pacer.place("group", READY - 1, READY, KnownRate(**slow)) for _ in range(60)]
    assert max(again) <= READY + 59
    assert len(set(again)) == 60


def test_a_fixed_rate_learns_nothing():
    pacer = Pacer(rate=7)
    for ready_at in (READY, READY + 6, READY + 12):  # each begins while places are to come
        places = queue(pacer, 30, ready_at)
        assert places[-1] - places[-2] == pytest.approx(1 / 7)


def test_workers_share_the_rate_and_do_not_step_in_time():
    pacers = [Pacer(rate=20, workers=4, random=random.Random(n)) for n in range(4)]
    places = sorted(place for pacer in pacers for place in queue(pacer, 25))
    assert 90 / (places[-1] - places[9]) == pytest.approx(20, rel=0.15)
    late = [place for place in places if place > READY]
    assert len(set(late)) == len(late) > 80


def test_workers_share_a_rate_that_is_learned():
    first, second = queue(Pacer(workers=4), 2)
    rate = known_rate.START * (1 + (first - READY) / learned_pace.UNTRIED_SOONEST)
    assert second - first == pytest.approx(4 / rate)


@given(
    rate=st.none() | st.floats(),
    workers=st.integers(-3, 50),
    limit=st.none() | st.floats(),
    served=st.none() | st.floats(),
    asked=st.lists(st.tuples(times, times), max_size=60),
)
def test_every_moment_is_one_that_clients_honour_and_a_place_is_never_too_early(
    rate, workers, limit, served, asked
):
    pacer = Pacer(rate, workers)
    for now, ready_at in asked:  # the clock may go backwards
        place = pacer.place("group", now, ready_at, KnownRate(limit, served))
        earliest = max(now, ready_at)
        assert now <= place <= now + pacing.HONOURED
        assert place >= earliest or place < ready_at


@given(st.lists(st.floats(0, 20), max_size=100), st.floats(1, 500))
def test_places_for_one_end_come_in_the_order_of_asking(waits, rate):
    pacer = Pacer(rate)
    moments = sorted(READY - wait for wait in waits)
    places = [pacer.place("group", now, READY) for now in moments]
    if places and max(places) < READY - 20 + pacing.HONOURED:  # everyone has a place
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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_that_is_forked_meanwhile_is_not_locked_out():
    pacers = [Pacer(), Pacer()]
    held, done = threading.Event(), threading.Event()

    def hold():
        with pacing._lock:
            held.set()
            done.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(30)
    child = os.fork()
    if child == 0:
        os._exit(0 if [pacer.place("group", READY - 5, READY) for pacer in pacers] else 1)
    status = waited(child)
    done.set()
    thread.join()
    assert status == 0
    assert queue(pacers[0], 1) == [READY]  # the parent's lock is the one that it was


def waited(child: int) -> int | None:
    """The child's exit status; None, and the child killed, if it does not end."""
    for _ in range(300):
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return status
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def test_a_queue_goes_on_where_the_one_of_all_proxies_stopped():
    pacer = Pacer(rate=1)
    pacer.follow("group", READY, SharedPlace(READY + 7, 1, 1, START))
    given = [pacer.place("group", READY - 5, READY, cooldown=10) for _ in range(2)]
    assert given == [READY + 8, READY + 9]
    assert pacer.place("group", READY + 30, READY + 40, cooldown=10) == READY + 40
