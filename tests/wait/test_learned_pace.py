"""What the queue learns, and where one thing that it does ends and the next begins."""

from __future__ import annotations

import math
import random

import pytest

from litellm_patch.wait.known_rate import KnownRate
from litellm_patch.wait.pacing import Pacer
from litellm_patch.wait.shared_part import SharedPlace

READY = 1000.0
START, SLOWER, FASTER, EXCUSED = 9.0, 0.6, 1.3, 8.0
COOLDOWN = 90.0
"""Seconds. Behind it a queue is twice as fast after half a minute, until it relapses."""
CROWD = 30


class Half(random.Random):
    def random(self) -> float:
        return 0.5


def shared(at: float, given: int = 1, mine: int = 1, rate: float = START) -> SharedPlace:
    return SharedPlace(at, given, mine, rate)


def queue(pacer: Pacer, clients: int, **known: float) -> list[float]:
    """The places of clients that are refused in the last seconds of a cooldown."""
    rate = KnownRate(**known)
    return [pacer.place("g", READY - 5, READY, rate, cooldown=COOLDOWN) for _ in range(clients)]


def cut_off(pacer: Pacer, after: float, come: int = 1, end: float = READY) -> float:
    """So many clients are refused in the moment in which the queue is cut off; the next rate."""
    for _ in range(come):
        pacer.place("g", end + after, end + after + 10)
    rate = pacer.rate("g")
    assert rate is not None
    return rate


def test_a_queue_begins_with_nine_a_second_and_has_twice_that_after_half_a_minute():
    places = queue(Pacer(), 500)
    assert places[1] - places[0] == pytest.approx(1 / 9)
    late = [place for place in places if place >= READY + 30]
    assert 1 / (late[1] - late[0]) == pytest.approx(18, rel=0.005)


@pytest.mark.parametrize("later, place", [(0.25, READY + 1), (0.26, READY + 0.26)])
def test_an_end_a_quarter_of_a_second_later_is_the_same(later, place):
    pacer = Pacer(rate=1)
    queue(pacer, 1)
    assert pacer.place("g", READY - 4, READY + later) == place


@pytest.mark.parametrize(
    "after, pace",
    # 300 places are nearly half a minute of queue.
    [(0, START), (3, START * 1.1), (15, START * 1.5), (27, START * 1.9)],
)
def test_a_queue_that_is_cut_off_begins_slower_than_it_was_then(after, pace):
    pacer = Pacer()
    queue(pacer, 400)
    assert cut_off(pacer, after) == pytest.approx(pace * SLOWER)


def test_it_was_never_faster_than_behind_its_last_place():
    pacer = Pacer()
    last = queue(pacer, 60)[-1] - READY
    assert cut_off(pacer, last + 0.9) == pytest.approx(START * (1 + last / 30) * SLOWER)


def test_after_an_early_relapse_the_pace_hardly_grows_for_half_a_minute():
    pacer = Pacer()
    queue(pacer, 30)
    rate = cut_off(pacer, 0)
    for _ in range(200):
        pacer.place("g", READY + 5, READY + 10)
    assert cut_off(pacer, 20, end=READY + 10) == pytest.approx(rate * (1 + (20 / 40) ** 3) * SLOWER)


@pytest.mark.parametrize(
    "after, doubled_after",
    # A cut-off four seconds after the end says nothing about what the group saves up.
    [(3.9, None), (4.0, 5)],
)
def test_a_group_is_untried_until_a_cut_off_within_four_seconds(after, doubled_after):
    pacer = Pacer()
    queue(pacer, 60)
    rate, end = cut_off(pacer, after), READY + after + 10
    places = [pacer.place("g", end - 1, end) for _ in range(200)]
    at_five = next(b - a for a, b in zip(places, places[1:]) if a >= end + 5)
    assert 1 / at_five == pytest.approx(rate * (2 if doubled_after else 1), rel=0.05)


@pytest.mark.parametrize(
    "after, rate",
    [
        (0.0, EXCUSED),
        (3.9, EXCUSED),
        (4.0, START * FASTER),
        (15.0, START * FASTER),
        (45.0, START * 2.5 * SLOWER),  # more than it began with
    ],
)
def test_if_a_crowd_did_it_the_next_one_is_hardly_slower_and_after_four_seconds_faster(after, rate):
    pacer = Pacer()
    queue(pacer, 790)
    assert cut_off(pacer, after, CROWD) == pytest.approx(rate)


@pytest.mark.parametrize(
    "known, rate", [({"limit": 12.0}, 6), ({"served": 12.0}, EXCUSED), ({"served": 500.0}, 300)]
)
def test_a_crowd_excuses_up_to_eight_a_second_and_never_makes_slower(known, rate):
    pacer = Pacer()
    queue(pacer, 100, **known)
    assert cut_off(pacer, 0.0, 500) == pytest.approx(rate)


@pytest.mark.parametrize("workers", [1, 4])
def test_bursts_that_each_meet_a_group_which_just_returned_hardly_slow_its_queue_down(workers):
    pacer = Pacer(workers=workers)
    queue(pacer, CROWD)
    rates = [cut_off(pacer, 0.1, CROWD, end=READY + 10.1 * n) for n in range(20)]
    assert rates == [EXCUSED] * 20


@pytest.mark.parametrize("more, crowd", [(0, False), (1, True)])
@pytest.mark.parametrize("workers, served, come", [(1, START, 6), (4, 12.0, 2), (1, 4.0, 6)])
def test_a_crowd_is_three_times_as_many_as_the_queue_brings_back_meanwhile(
    workers, served, come, more, crowd
):
    """In a quarter of a second nine a second bring 2.25; of 12 a second, a worker's share 0.75."""
    pacer = Pacer(workers=workers)
    queue(pacer, 30, served=served)
    slower = max(served, START) * SLOWER
    assert cut_off(pacer, 0.0, come + more) == pytest.approx(EXCUSED if crowd else slower)


@pytest.mark.parametrize("more, crowd", [(0, False), (1, True)])
def test_a_crowd_is_counted_in_the_part_of_the_clients_that_a_process_sees(more, crowd):
    """Of 12 a second, a quarter brings 0.75 back in a quarter of a second."""
    pacer = Pacer()
    for given in (1, 5):
        pacer.follow("g", READY, shared(READY + 10, given, mine=1 + given // 5, rate=12.0))
    pacer.follow("g", READY, shared(READY + 10, 500, mine=126, rate=12.0))
    queue(pacer, 1)
    assert cut_off(pacer, 0.0, 2 + more) == pytest.approx(EXCUSED if crowd else 12 * SLOWER)


@pytest.mark.parametrize("come, crowd", [(13, False), (14, True)])
def test_a_faster_queue_brings_back_more_meanwhile(come, crowd):
    """18 a second after half a minute: 4.5 in a quarter of a second."""
    pacer = Pacer()
    queue(pacer, 500)
    assert cut_off(pacer, 30, come) == pytest.approx(START * (FASTER if crowd else 2 * SLOWER))


@pytest.mark.parametrize(
    "places, length, come, crowd",
    [(200, 10, 15, False), (200, 10, 16, True), (80, 10, 7, True), (10, 0.5, 15, False)],
)
def test_as_many_as_come_usually_are_no_crowd(places, length, come, crowd):
    """200 places in a cooldown of ten seconds: five calls in a quarter of a second."""
    pacer = Pacer()
    for _ in range(places):
        pacer.place("g", READY - 0.3, READY, cooldown=length)
    assert cut_off(pacer, 0.0, come) == pytest.approx(EXCUSED if crowd else START * SLOWER)


def test_what_came_before_the_last_cooldown_is_not_usual():
    pacer = Pacer()
    for ready_at, clients in ((READY - 100, 600), (READY, 30)):
        for _ in range(clients):
            pacer.place("g", ready_at - 1, ready_at, cooldown=10)
    assert cut_off(pacer, 0.0, 7) == EXCUSED


@pytest.mark.parametrize("come, slower", [(2, True), (3, False)])
def test_two_clients_are_no_crowd_however_slow_the_queue_is(come, slower):
    pacer = Pacer()
    queue(pacer, 10, limit=4.0)
    assert cut_off(pacer, 0.0, come) == pytest.approx(2 * (SLOWER if slower else 1))


@pytest.mark.parametrize("later, rate", [(0.25, EXCUSED), (0.26, START * SLOWER)])
def test_a_crowd_comes_within_a_quarter_of_a_second(later, rate):
    pacer = Pacer()
    queue(pacer, 30)
    pacer.place("g", READY, READY + 10)
    for _ in range(6):
        pacer.place("g", READY + later, READY + 10)
    assert pacer.rate("g") == pytest.approx(rate)


@pytest.mark.parametrize("before, rate", [(0.25, EXCUSED), (0.26, START * SLOWER)])
def test_a_crowd_may_come_up_to_a_quarter_of_a_second_before_the_group_returns(before, rate):
    """The rest of it was let in, since a busy proxy hears late that the provider refuses."""
    pacer = Pacer()
    queue(pacer, 30)
    for _ in range(30):
        pacer.place("g", READY - before, READY)
    assert cut_off(pacer, 0.0) == pytest.approx(rate)
    assert cut_off(pacer, 0.0, end=READY + 10) == pytest.approx(rate * SLOWER)  # not theirs


@pytest.mark.parametrize("after_the_last, slower", [(0.99, True), (1.0, False)])
def test_a_queue_is_cut_off_until_a_second_after_its_last_place(after_the_last, slower):
    pacer = Pacer()
    (place,) = queue(pacer, 1)
    assert (cut_off(pacer, place - READY + after_the_last) < START) is slower


@pytest.mark.parametrize(
    "now, ready_at, length, began",
    [
        (20, 30, 30.0, 0.0),  # noticed late
        (20, 30, 29.0, 1.0),
        (20, 30, 31.0, None),  # it cannot have begun before the last one's end
        (20, 30, 5.0, None),  # nor after it was noticed
        (2, 7, 100.0, 2.0),
        (1, 6, 1.0, 1.0),
        (2, 7, None, 2.0),
    ],
)
def test_a_cooldown_began_where_its_length_tells_if_that_can_be(now, ready_at, length, began):
    pacer = Pacer()
    last = queue(pacer, 30)[-1]
    pacer.place("g", READY + now, READY + ready_at, cooldown=length)
    assert last == pytest.approx(READY + 3.1, abs=0.1)  # when it is noticed now, the queue is over
    assert pacer.rate("g") == pytest.approx(
        START if began is None else START * (1 + began / 30) * SLOWER
    )


def test_a_queue_that_came_to_its_end_brings_a_slow_rate_back_and_teaches_nothing_else():
    pacer = Pacer()
    rates = []
    for n in range(10):
        rates.append(cut_off(pacer, 0.0, 2, end=READY + 10 * n))
    assert rates[:3] == pytest.approx([START, START * SLOWER, START * SLOWER**2])
    assert rates[-1] == 1
    after = [cut_off(pacer, 60.0 * n, end=READY + 200) for n in range(12)]
    assert after[1:4] == pytest.approx([1.3**2, 1.3**3, 1.3**4])
    assert after[-1] == after[-2] == pytest.approx(1.3**9)


@pytest.mark.parametrize("honoured", [1.0, 60.0])
def test_a_queue_that_nobody_had_a_place_in_teaches_nothing(honoured):
    pacer = Pacer()
    for _ in range(10):
        pacer.place("g", READY - 70, READY, honoured=honoured)
    assert cut_off(pacer, 1.0) == START


def test_nor_after_one_that_taught_something():
    pacer = Pacer()
    queue(pacer, 30)
    pacer.place("g", READY + 0, READY + 70)
    assert pacer.rate("g") == pytest.approx(START * SLOWER)
    assert cut_off(pacer, 0.0, end=READY + 70) == pytest.approx(START * SLOWER)


def test_two_cooldowns_may_be_noticed_in_one_moment():
    pacer = Pacer()
    assert [pacer.place("g", READY - 5, end) for end in (READY, READY + 5)] == [READY, READY + 5]


def test_another_end_during_the_cooldown_is_no_relapse():
    pacer = Pacer()
    queue(pacer, 30)
    assert cut_off(pacer, -3) == START


@pytest.mark.parametrize("early", [0.0, 0.1, 1.0])
def test_an_end_that_has_passed_teaches_nothing_in_the_middle_of_a_queue(early):
    pacer = Pacer()
    queue(pacer, 60)
    assert pacer.place("g", READY + 2, READY + 2 - early) > READY + 2
    assert pacer.rate("g") == START
    assert cut_off(pacer, 3.0) == pytest.approx(START * 1.1 * SLOWER)  # of the end that is known


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
    known = [pacer.rate(f"group {number}") is not None for number in (1009 - remembered, 1009)]
    assert known == [False, True]


@pytest.mark.parametrize("clients", [3, 10, 27, 100, 285])
def test_moments_before_the_end_are_spread_evenly_however_many_there_are(clients):
    pacer, now = Pacer(), READY - 90
    moments = sorted(pacer.place("g", now, READY) for _ in range(clients))
    edges = [now + 30, *moments, now + 60]
    assert edges == sorted(edges)
    assert max(b - a for a, b in zip(edges, edges[1:])) < 1.9 * 30 / clients


@pytest.mark.parametrize("left, latest", [(63.0, 59.85), (64.0, 60.0)])
def test_the_last_twentieth_of_a_wait_is_kept_free(left, latest):
    pacer, now = Pacer(), READY - left
    moments = [pacer.place("g", now, READY) - now for _ in range(300)]
    assert latest - 0.3 < max(moments) <= latest


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


@pytest.mark.parametrize("rate, place", [(4.0, READY + 3.25), (16.0, READY + 3.125)])
def test_the_queue_behind_a_place_of_all_proxies_has_its_rate_up_to_the_known_limit(rate, place):
    pacer, known = Pacer(), KnownRate(limit=8.0)
    pacer.follow("g", READY, shared(READY + 3, rate=rate), known)
    assert queue(pacer, 1, limit=8.0) == [place]


def test_a_place_of_all_proxies_that_a_cooldown_cuts_off_is_learned_from():
    pacer = Pacer()
    pacer.follow("g", READY, shared(READY + 3))
    assert cut_off(pacer, 0.0, 6) == pytest.approx(START * SLOWER)
    assert cut_off(pacer, 0.0, 1) == EXCUSED


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


@pytest.mark.parametrize("given, mine", [(1, 3), (10, 1), (9, 3), (10, 2)])
def test_a_queue_or_a_process_that_began_anew_says_nothing_of_the_others_yet(given, mine):
    pacer = Pacer(rate=2, workers=4)
    for place in ((1, 1), (9, 2), (given, mine)):
        pacer.follow("g", READY, shared(READY, *place))
    assert pacer.place("g", READY - 1, READY) == READY + 0.5


@pytest.mark.parametrize("seen, mine, given", [(499, 3, 509), (500, 2, 260)])
def test_five_hundred_places_are_seen_before_they_count_half(seen, mine, given):
    pacer = Pacer(rate=10)
    for place in ((1, 1), (seen, 2), (seen + 10, 3)):
        pacer.follow("g", READY, shared(READY, *place))
    assert pacer.place("g", READY - 1, READY) == pytest.approx(READY + given / mine / 10)


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
