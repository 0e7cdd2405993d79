"""Where one thing that the queue does or learns ends, and the next begins."""

from __future__ import annotations

import math
import random

import pytest

from litellm_patch.wait.pacing import KnownRate, Pacer, SharedPlace

READY = 1000.0
START, SLOWER, EXCUSED = 9.0, 0.6, 8.0


class Half(random.Random):
    def random(self) -> float:
        return 0.5


def shared(at: float, given: int = 1, mine: int = 1, rate: float = START) -> SharedPlace:
    return SharedPlace(at, given, mine, rate)


def queue(pacer: Pacer, clients: int, **known: float) -> list[float]:
    """The places of clients that are refused in the last seconds of a cooldown of 90 s."""
    rate = KnownRate(**known)
    return [pacer.place("g", READY - 5, READY, rate, cooldown=90) for _ in range(clients)]


def test_a_queue_begins_with_nine_a_second_and_has_twice_that_after_half_a_minute():
    places = queue(Pacer(), 500)
    assert places[1] - places[0] == pytest.approx(1 / 9)
    late = [place for place in places if place >= READY + 30]
    assert 1 / (late[1] - late[0]) == pytest.approx(18, rel=0.005)


def test_no_queue_has_more_than_five_hundred_a_second():
    first, second = queue(Pacer(), 2, served=9e9)
    assert 1 / (second - first) == pytest.approx(500)


@pytest.mark.parametrize("later, place", [(0.25, READY + 1), (0.26, READY + 0.26)])
def test_an_end_a_quarter_of_a_second_later_is_the_same(later, place):
    pacer = Pacer(rate=1)
    queue(pacer, 1)
    assert pacer.place("g", READY - 4, READY + later) == place


@pytest.mark.parametrize(
    "after_the_end, rate",
    # The last of 60 places is 6 s behind the end.
    [(0.0, START * 0.6), (3.9, START * 0.6), (4.0, START * 1.3), (6.5, START * 1.3), (9.0, START)],
)
def test_a_cooldown_is_a_relapse_for_four_seconds_and_then_the_work_of_new_calls(
    after_the_end, rate
):
    pacer = Pacer()
    queue(pacer, 60)
    began = READY + after_the_end
    pacer.place("g", began, began + 10)
    assert pacer.rate("g") == pytest.approx(rate)


@pytest.mark.parametrize("after_the_last, slower", [(0.99, True), (1.0, False)])
def test_a_queue_is_cut_off_until_a_second_after_its_last_place(after_the_last, slower):
    pacer = Pacer()
    began = queue(pacer, 1)[0] + after_the_last
    pacer.place("g", began, began + 5)
    assert (pacer.rate("g") < START) is slower


@pytest.mark.parametrize(
    "length, slower", [(30.0, True), (29.0, True), (31.0, False), (5.0, False)]
)
def test_a_cooldown_that_is_noticed_late_began_at_the_earliest_at_the_last_ones_end(length, slower):
    pacer = Pacer()
    queue(pacer, 30)
    pacer.place("g", READY + 20, READY + 30, cooldown=length)
    assert (pacer.rate("g") < START) is slower


@pytest.mark.parametrize("early", [0.0, 0.1, 1.0])
def test_an_end_that_has_passed_teaches_nothing_in_the_middle_of_a_queue(early):
    pacer = Pacer()
    queue(pacer, 60)
    pacer.place("g", READY + 3, READY + 3 - early)
    assert pacer.rate("g") == START
    pacer.place("g", READY + 3.5, READY + 13)  # a relapse of the end that is known
    assert pacer.rate("g") == pytest.approx(START * 0.6)


@pytest.mark.parametrize(
    "rate, workers, phase",
    [
        (None, 1, 0.0),
        (None, 2, 0.5 / (START / 2)),
        (20.0, 4, 0.5 / 5),
        (1.0, 4, 0.5),  # at most a second, halved
    ],
)
def test_a_workers_queue_begins_within_an_interval_of_its_own(rate, workers, phase):
    pacer = Pacer(rate, workers, random=Half())
    assert queue(pacer, 1) == [pytest.approx(READY + phase)]


def test_a_client_that_honours_less_than_a_second_is_told_no_more():
    now = READY - 30
    moments = [Pacer().place("g", now, READY, honoured=0.5) for _ in range(3)]
    assert all(now < moment <= now + 0.5 for moment in moments)


@pytest.mark.parametrize("groups, remembered", [(1, 1), (0, 1), (-5, 1), (3, 3), (None, 1000)])
def test_so_many_groups_are_remembered(groups, remembered):
    pacer = Pacer() if groups is None else Pacer(groups=groups)
    for number in range(1010):
        pacer.place(f"group {number}", 0, READY)
    assert len(pacer) == remembered


@pytest.mark.parametrize("clients", [3, 10, 27, 100, 285])
def test_moments_before_the_end_are_spread_evenly_however_many_there_are(clients):
    pacer, now = Pacer(), READY - 90
    moments = sorted(pacer.place("g", now, READY) for _ in range(clients))
    edges = [now + 30, *moments, now + 60]
    assert max(b - a for a, b in zip(edges, edges[1:])) < 1.9 * 30 / clients


@pytest.mark.parametrize("more, rate", [(0, SLOWER), (1, None)])
@pytest.mark.parametrize("workers, served, come", [(1, START, 6), (4, 12.0, 2)])
def test_a_burst_is_three_times_as_many_as_the_queue_brings_back_meanwhile(
    workers, served, come, more, rate
):
    """In a quarter of a second nine a second bring 2.25; of 12 a second, a worker's share 0.75."""
    pacer, known = Pacer(workers=workers), KnownRate(served=served)
    for _ in range(30):
        pacer.place("g", READY - 5, READY, known)
    for _ in range(come + more):
        pacer.place("g", READY + 0.1, READY + 10)
    assert pacer.rate("g") == (served * rate if rate else EXCUSED)


@pytest.mark.parametrize("come, slower", [(2, True), (3, False)])
def test_two_clients_are_no_burst_however_slow_the_queue_is(come, slower):
    pacer, known = Pacer(), KnownRate(limit=4.0)
    for now, ready_at, clients in [(READY - 5, READY, 10), (READY + 0.1, READY + 10, come)]:
        for _ in range(clients):
            pacer.place("g", now, ready_at, known)
    assert (pacer.rate("g") < 2) is slower


def test_a_burst_lasts_a_quarter_of_a_second_to_its_end():
    pacer, began = Pacer(), READY + 0.125
    queue(pacer, 30)
    for now in [began, *[began + 0.25] * 6]:
        pacer.place("g", now, READY + 10)
    assert pacer.rate("g") == EXCUSED


def test_an_end_that_was_the_begin_of_the_one_waited_for_begins_a_new_queue():
    pacer = Pacer()
    pacer.place("g", READY - 20, READY)
    assert pacer.place("g", READY - 15, READY - 10, cooldown=10) == READY - 10


@pytest.mark.parametrize("place, before_the_end", [(READY + 39.9, True), (READY + 40, False)])
def test_a_place_that_can_be_told_in_the_second_half_of_the_wait_is_asked_for_then(
    place, before_the_end
):
    pacer = Pacer(rate=1)
    pacer.follow("g", READY, shared(place - 1))
    moments = [pacer.place("g", READY - 40, READY, honoured=60) for _ in range(20)]
    assert all((moment < READY) is before_the_end for moment in moments)
    assert len(set(moments)) == 20


def test_clients_of_a_full_queue_who_honour_just_the_end_are_told_different_moments():
    pacer = Pacer(rate=1)
    pacer.follow("g", READY, shared(READY + 100))
    moments = [pacer.place("g", READY - 60, READY, honoured=60) for _ in range(20)]
    assert len(set(moments)) == 20


@pytest.mark.parametrize("place, ready_at", [(math.nan, READY), (READY, math.inf), (math.inf,) * 2])
def test_a_place_that_is_no_number_is_not_followed(place, ready_at):
    pacer = Pacer()
    pacer.follow("g", ready_at, shared(place))
    assert len(pacer) == 0


def test_the_queue_behind_a_place_of_all_proxies_has_the_known_rate():
    pacer, known = Pacer(), KnownRate(limit=8.0)
    pacer.follow("g", READY, shared(READY + 3, rate=4.0), known)
    assert queue(pacer, 1, limit=8.0) == [READY + 3.25]


def test_a_place_of_all_proxies_that_a_cooldown_cuts_off_is_learned_from():
    pacer = Pacer()
    pacer.follow("g", READY, shared(READY + 3))
    pacer.place("g", READY + 1, READY + 11)
    assert pacer.rate("g") == pytest.approx(START * 0.6)


def test_a_process_gives_the_part_of_the_places_that_it_had_until_then():
    """Of four that see as many clients, at the rate that the queue of all had learned."""
    pacer = Pacer()
    for mine in range(1, 8):
        pacer.follow("g", READY, shared(READY + mine / 2, 4 * mine - 3, mine, rate=8.0))
    part = 7 / 25
    own = [pacer.place("g", READY - 1, READY) for _ in range(2)]
    assert own[0] == pytest.approx(READY + 3.5 + 1 / 8 / part)
    assert own[1] - own[0] == pytest.approx(1 / 8 / part, rel=0.2)  # a queue becomes faster
    assert pacer.rate("g") == 8.0


@pytest.mark.parametrize("given, mine", [(1, 3), (10, 1)])
def test_a_queue_or_a_process_that_began_anew_says_nothing_of_the_others_yet(given, mine):
    pacer = Pacer(rate=2, workers=4)
    for place in ((1, 1), (9, 2), (given, mine)):
        pacer.follow("g", READY, shared(READY, *place))
    assert pacer.place("g", READY - 1, READY) == READY + 0.5


def test_what_was_seen_long_ago_fades():
    pacer, given, mine = Pacer(rate=1), 0, 0
    for others in 40 * [9] + 1500 * [0]:
        given, mine = given + 1 + others, mine + 1
        pacer.follow("g", READY, shared(READY, given, mine))
    assert 1 <= pacer.place("g", READY - 1, READY) - READY < 1.2


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf])
def test_a_rate_that_is_none_is_not_taken_over(rate):
    pacer = Pacer()
    pacer.follow("g", READY, shared(READY, rate=rate))
    assert pacer.rate("g") == START
