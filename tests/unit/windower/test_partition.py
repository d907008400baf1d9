"""When a window is emitted, what is in it, and what has to be read again."""

import pytest

from services.shared.tumbling import Timing
from services.windower.windower import Partition
from tests.unit.windower.builders import SEGMENT, START, a_score, second

AT_ONCE = Timing(settle_seconds=0)


def folded(*scores, intervals=(10,), timing=AT_ONCE, arrived=0):
    """All of `scores` came `arrived` seconds after the start, at offsets from 0."""
    partition = Partition(3, intervals, timing=timing)
    for offset, score in enumerate(scores):
        partition.add(score, offset)
    list(partition.tick(second(arrived)))
    return partition


def windows(partition, at):
    return list(partition.tick(second(at)))


def only(partition, at):
    (window,) = windows(partition, at)
    return window


def test_a_window_is_emitted_one_second_after_its_end():
    partition = folded(a_score(1, at=1), a_score(2, at=10.9))
    assert windows(partition, 10.99) == []
    partition.add(a_score(3, at=11), 2)
    window = only(partition, 11)
    assert (window.count, window.window_start, window.source_partition) == (1, START, 3)
    assert (window.window_end - window.window_start).total_seconds() == window.interval_seconds == 10


def test_an_idle_partition_advances_at_the_pace_of_the_clock():
    partition = folded(a_score(1, at=4), arrived=9)  # the call is five seconds old when its score comes
    assert windows(partition, 15.9) == []
    assert only(partition, 16).count == 1


def test_a_score_from_the_future_moves_nothing_beyond_the_clock():
    partition = folded(a_score(1, at=4), a_score(2, at=250))
    assert windows(partition, 5) == []


def test_a_window_comes_again_when_it_changed_and_closes_after_two_more_intervals():
    partition = folded(a_score(1, at=1))
    assert only(partition, 11).count == 1
    assert windows(partition, 20) == []
    partition.add(a_score(2, at=2), 7)
    assert windows(partition, 20) == []
    assert only(partition, 21).count == 2
    assert len(partition) == 1
    assert windows(partition, 30) == []
    assert (len(partition), partition.needed()) == (0, None)


def test_what_comes_after_that_is_late_and_counted():
    partition = folded(a_score(1, at=1), a_score(2, at=31))
    windows(partition, 31)
    partition.add(a_score(3, at=2), 9)
    assert partition.tally.late == 1
    assert len(partition) == 1


def test_a_slow_evaluator_is_not_late_because_a_fast_one_is_ahead():
    partition = folded(a_score(1, at=1, evaluator="toxicity", metric="toxicity"), a_score(2, at=100), arrived=100)
    windows(partition, 101)
    partition.add(a_score(3, at=2, evaluator="toxicity", metric="toxicity"), 9)
    assert partition.tally.late == 0


def test_a_sender_that_catches_up_partition_by_partition_is_not_late():
    partition = folded(
        *(a_score(number, at=number) for number in range(100)), timing=Timing(settle_seconds=5), arrived=200
    )
    for number in range(100):
        partition.add(a_score(1000 + number, at=number), 100 + number)
    assert partition.tally.late == 0
    last = {window.window_id: window.count for at in (201, 206, 300, 400) for window in windows(partition, at)}
    assert list(last.values()) == [20] * 10


def test_a_repeat_changes_nothing():
    partition = folded(a_score(1, at=1), a_score(1, at=1))
    assert only(partition, 12.5).count == 1
    partition.add(a_score(1, at=1), 2)
    assert windows(partition, 31) + windows(partition, 60) == []
    assert (partition.tally.added, partition.tally.repeated) == (1, 2)


@pytest.mark.parametrize(
    ("first", "second_", "counted"),
    [
        ({"value": None}, {"value": 2.0}, 2.0),
        ({"value": None, "status": "failed"}, {"value": 2.0}, 2.0),
        ({"value": 2.0}, {"value": None}, 2.0),
        ({"value": 2.0}, {"value": 3.0, "input_at": START.replace(hour=10)}, 3.0),
        ({"value": 3.0, "input_at": START.replace(hour=10)}, {"value": 2.0}, 3.0),
    ],
)
def test_the_better_score_of_one_id_stays(first, second_, counted):
    window = only(folded(a_score(1, at=1, **first), a_score(1, at=1, **second_)), 12.5)
    assert (window.count, window.not_scored, window.failed, window.mean) == (1, 0, 0, counted)


@pytest.mark.parametrize("order", [(0.5, 0.25), (0.25, 0.5)])
def test_a_score_that_was_given_at_two_rates_counts_with_the_larger_probability(order):
    window = only(folded(*(a_score(1, at=1, inclusion_probability=probability) for probability in order)), 12.5)
    assert (window.count, window.weight) == (1, 2.0)


def test_only_what_was_scored_enters_the_sums():
    scores = [a_score(1, value=4.0), a_score(2, value=None), a_score(3, value=None, status="failed")]
    window = only(folded(*scores), 12.5)
    assert (window.count, window.not_scored, window.failed) == (1, 1, 1)
    assert (window.minimum, window.maximum, window.mean) == (4.0, 4.0, 4.0)


def test_a_score_without_a_value_is_a_failure_whatever_it_says():
    window = only(folded(a_score(1, value=None, status="scored")), 12.5)
    assert (window.count, window.failed, window.mean) == (0, 1, None)


def test_synthetic_calls_are_no_traffic():
    assert windows(folded(a_score(1, synthetic=True)), 60) == []


def test_labels_and_weights():
    partition = folded(a_score(1, label=True, inclusion_probability=0.25), a_score(2, label=False))
    window = only(partition, 12.5)
    assert (window.labelled, window.labelled_weight, window.weight, window.weight_squares) == (1, 4.0, 5.0, 17.0)
    assert window.label_rate == 0.8


def test_each_attribute_value_is_a_window_of_its_own():
    partition = folded(a_score(1, groups={"region": "eu"}), a_score(2, groups={"region": "us", "plan": "pro"}))
    found = {window.group: window.count for window in windows(partition, 12.5)}
    assert found == {"": 2, "region=eu": 1, "region=us": 1, "plan=pro": 1}


def test_no_more_groups_than_asked_for_the_largest_first():
    partition = Partition(0, [10], timing=AT_ONCE, most_groups=1)
    for number, user in enumerate(["a", "b", "b", "c"]):
        partition.add(a_score(number, at=12 * (number == 0), groups={"user": user}), number)
    assert [window.group for window in windows(partition, 12)] == ["", "user=b"]


def test_several_intervals():
    partition = folded(*(a_score(number, at=number) for number in range(20)), intervals=(5, 20))
    counts = [(window.interval_seconds, window.count) for window in windows(partition, 40)]
    assert sorted(counts) == [(5, 5), (5, 5), (5, 5), (5, 5), (20, 20)]


def test_what_is_needed_is_the_first_offset_of_an_open_window():
    partition = folded(a_score(1, at=1), a_score(2, at=11), a_score(3, at=2))
    assert partition.needed() == 0
    windows(partition, 31)
    assert partition.needed() == 1


def test_windows_have_the_same_id_wherever_they_are_rebuilt():
    first, again = only(folded(a_score(1)), 12.5), only(folded(a_score(1), a_score(2)), 12.5)
    assert first.window_id == again.window_id
    assert first.segment == SEGMENT
