"""What of the log enters windows."""

from datetime import timedelta

from schemas.topics import SCORES
from services.shared.record import REPLAY_HEADER, Record
from services.shared.tumbling import Timing
from services.windower.app import State
from services.windower.metrics import AHEAD, OPEN
from services.windower.windower import Partition
from tests.unit.windower.builders import START, a_score

TAKEN_MS = int(START.timestamp() * 1000)


def records(scores, *, first=0, headers=()):
    """All of them taken by Kafka at the start."""
    return [
        Record(score, SCORES.name, 0, offset, "run", TAKEN_MS, headers) for offset, score in enumerate(scores, first)
    ]


def test_what_is_replayed_enters_no_window_though_it_is_open():
    state = State(Partition(0, (10,), timing=Timing(settle_seconds=0)))
    scores = [a_score(number, at=number) for number in range(1, 5)]
    state.add(records(scores[:2]))
    state.add(records(scores[2:], first=2, headers=((REPLAY_HEADER, b"1"),)))
    state.tick(START + timedelta(seconds=5))
    [window] = state.tick(START + timedelta(seconds=20))
    assert window.count == 2


def test_a_call_in_the_future_opens_no_window_that_would_hold_commits_back():
    state = State(Partition(0, (10,), timing=Timing(settle_seconds=0)))
    counted = AHEAD._value.get()
    state.add(records([a_score(1, at=8 * 3600), a_score(2, at=300), a_score(3, at=301)]))
    assert (state.needed(), AHEAD._value.get() - counted) == (1, 2)


def test_a_state_that_is_dropped_leaves_no_gauge_behind():
    state = State(Partition(77, (10,)))
    state.tick(START)
    assert _gauges() == [0.0]
    del state
    assert _gauges() == []


def _gauges():
    samples = [sample for metric in OPEN.collect() for sample in metric.samples]
    return [sample.value for sample in samples if sample.labels["partition"] == "77"]
