"""When too many failures stop a service."""

from datetime import UTC, datetime

import pytest

from services.shared.breaker import Breaker, Marker, Tripped
from services.shared.errors import Transient
from services.shared.worker import bisect


def fail(breaker, messages, succeeded_before=0):
    for _ in range(messages):
        breaker.succeeded(succeeded_before)
        breaker.failed("why")


def test_five_in_a_hundred_of_the_last_thousand_trip_it():
    breaker = Breaker()
    breaker.succeeded(10)
    with pytest.raises(Tripped, match="51 of the last 1000"):
        fail(breaker, 100)


def test_a_hundred_in_a_row_trip_it_however_many_may_fail(monkeypatch):
    monkeypatch.setattr("services.shared.breaker.MOST_FAILURES", 1000)
    with pytest.raises(Tripped, match="100 messages in a row"):
        fail(Breaker(), 100)


def test_five_in_a_hundred_do_not_trip_it_for_ever():
    breaker = Breaker()
    fail(breaker, 1000, succeeded_before=19)


def test_six_in_a_hundred_do():
    breaker = Breaker()
    with pytest.raises(Tripped):
        fail(breaker, 60, succeeded_before=15)


def test_what_fails_on_everything_stops_at_the_first_failure_that_is_too_many():
    breaker = Breaker()
    fail(breaker, 50)
    with pytest.raises(Tripped):
        breaker.failed("why")


@pytest.mark.parametrize(("between", "stops"), [(949, True), (950, False)])
def test_the_thousand_is_counted_from_the_first_of_the_failures(between, stops):
    """Fifty failures, a pause, and one more: within a thousand messages, or just not."""
    breaker = Breaker()
    fail(breaker, 50)
    breaker.succeeded(between)
    try:
        breaker.failed("why")
    except Tripped:
        assert stops
    else:
        assert not stops


def test_ninety_nine_in_a_row_and_a_success_do_not_count_as_a_row(monkeypatch):
    monkeypatch.setattr("services.shared.breaker.MOST_FAILURES", 1000)
    breaker = Breaker()
    for _ in range(5):
        fail(breaker, 99)
        breaker.succeeded(1)


def test_a_trial_leaves_the_breaker_as_it_was():
    breaker = Breaker()
    trial = breaker.trial()
    fail(trial, 50)
    breaker.failed("why")  # the first of its own


def test_bisecting_stops_early_when_everything_fails():
    handled = []

    def broken(items):
        handled.append(items)
        raise ValueError

    with pytest.raises(Tripped):
        bisect(broken, range(10_000), Breaker())
    assert len(handled) < 200


def test_bisecting_lets_what_is_away_pass():
    def away(_items):
        raise Transient

    with pytest.raises(Transient):
        bisect(away, [1, 2], Breaker())


def test_the_marker_outlives_the_process_and_is_removed_by_a_person(tmp_path):
    marker = Marker(tmp_path, "latency")
    assert marker.reason() is None
    marker.set("too many", datetime(2026, 1, 1, tzinfo=UTC))
    assert Marker(tmp_path, "latency").reason() == "too many"
    marker.path.write_text("")
    assert marker.reason()
    marker.clear()
    assert marker.reason() is None
