"""What of the log enters windows."""

from datetime import timedelta

from schemas.topics import SCORES
from services.shared.record import REPLAY_HEADER, Record
from services.shared.tumbling import Timing
from services.windower.app import State
from services.windower.metrics import OPEN
from services.windower.windower import Partition
from tests.unit.windower.builders import START, a_score


def test_what_is_replayed_enters_no_window_though_it_is_open():
    state = State(Partition(0, (10,), timing=Timing(settle_seconds=0)))
    scores = [a_score(number, at=number) for number in range(1, 5)]
    state.add([Record(score, SCORES.name, 0, offset, "run", 0) for offset, score in enumerate(scores[:2])])
    mark = ((REPLAY_HEADER, b"1"),)
    state.add([Record(score, SCORES.name, 0, offset, "run", 0, mark) for offset, score in enumerate(scores[2:], 2)])
    state.tick(START + timedelta(seconds=5))
    [window] = state.tick(START + timedelta(seconds=20))
    assert window.count == 2


def test_a_state_that_is_dropped_leaves_no_gauge_behind():
    state = State(Partition(77, (10,)))
    state.tick(START)
    assert _gauges() == [0.0]
    del state
    assert _gauges() == []


def _gauges():
    samples = [sample for metric in OPEN.collect() for sample in metric.samples]
    return [sample.value for sample in samples if sample.labels["partition"] == "77"]
