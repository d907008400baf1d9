"""The figures of the campaign: schedules, delays, stalls, catch-up and slopes."""

from random import Random

import pytest

from tests.support.campaign.figures import Point, catch_up, quantile, stall
from tests.support.campaign.schedule import Schedule, Turns
from tests.support.campaign.slope import settled, slope
from tests.support.campaign.watch import emitted_at

NAMES = ("a", "b", "c")


def test_the_same_seed_strikes_at_the_same_moments_and_another_at_others():
    schedule = Schedule(5, 1.0, 4.0)
    assert schedule.pauses(Random(1)) == schedule.pauses(Random(1)) != schedule.pauses(Random(2))
    assert all(1.0 <= pause <= 4.0 for pause in schedule.pauses(Random(1)))


def test_everybody_has_a_turn_before_anybody_has_two():
    turns = Turns(Random(3), NAMES)
    drawn = [turns.next() for _ in range(9)]
    assert [sorted(drawn[at : at + 3]) for at in (0, 3, 6)] == [list(NAMES)] * 3


def test_the_seed_decides_the_order_whatever_the_order_of_the_names():
    first, second = Turns(Random(5), NAMES), Turns(Random(5), NAMES[::-1])
    assert [first.next() for _ in range(6)] == [second.next() for _ in range(6)]


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.95, 95), (1.0, 100), (0.0, 1)])
def test_a_quantile_is_one_of_the_values(share, expected):
    assert quantile(range(1, 101), share) == expected


def test_a_stall_is_counted_only_while_something_waits():
    idle = [Point(at, 10, 10) for at in range(5)]
    assert stall(idle) == 0
    waiting = [Point(0, 10, 10), Point(1, 20, 10), Point(2, 30, 10), Point(8, 40, 40)]
    assert stall([*waiting, *[Point(9 + at, 40, 40) for at in range(20)]]) == 8


def test_a_backlog_of_an_outage_goes_at_so_many_times_the_live_rate():
    outage = [Point(at, 100 * at, 0) for at in range(30)]
    after = [Point(30 + at, 3000 + 100 * at, min(500 * at, 3000 + 100 * at)) for at in range(12)]
    assert catch_up([*outage, *after], 30, 100) == 5


def test_no_backlog_and_one_that_stays_have_no_speed():
    assert catch_up([Point(at, 100 * at, 100 * at) for at in range(9)], 3, 100) is None
    assert catch_up([Point(at, 100 * at, 0) for at in range(30)], 3, 100) is None


def test_a_leak_is_a_slope_and_its_bound_lies_above():
    noise = Random(7)
    leaking = [(at, 100 + 12 * at / 3600 + noise.gauss(0, 0.3)) for at in range(0, 3600, 5)]
    found = slope(leaking)
    assert found.per_hour == pytest.approx(12, abs=0.5)
    assert found.per_hour < found.upper < 13


def test_noise_without_a_leak_stays_below_the_target():
    noise = Random(8)
    assert abs(slope([(at, 100 + noise.gauss(0, 1)) for at in range(0, 3600, 5)]).upper) < 5


def test_what_is_too_short_has_no_slope():
    assert slope([(at, 1.0) for at in range(0, 180, 5)]) is None


def test_the_first_quarter_warms_up():
    assert settled([(at, 0) for at in range(0, 101, 25)]) == [(25, 0), (50, 0), (75, 0), (100, 0)]
    assert settled([]) == []


def test_a_call_id_tells_its_millisecond():
    assert emitted_at("018bcfe5-6801-7000-8000-000000000000") == 1700000000.001
