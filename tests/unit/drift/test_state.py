"""What of the log enters references and windows."""

from datetime import timedelta

from schemas.topics import EMBEDDINGS
from services.drift.app import State
from services.drift.drift import Partition, Rules
from services.drift.metrics import AHEAD
from services.drift.store import ReferenceFiles
from services.shared.record import REPLAY_HEADER, Record
from tests.unit.drift.builders import AT_ONCE, START, an_embedding

RULES = Rules(
    interval_seconds=10, reference_size=4, minimum_sample=2, maximum_sample=60, permutations=99, timing=AT_ONCE
)
TAKEN_MS = int(START.timestamp() * 1000)


class Known:
    """Deployments that have been read."""

    def wait(self, _seconds):
        return True


def records(numbers, *, at, headers=()):
    found = [an_embedding(number, at=at + number / 100) for number in numbers]
    return [Record(each, EMBEDDINGS.name, 0, offset, "run", TAKEN_MS, headers) for offset, each in enumerate(found)]


def test_what_is_replayed_enters_neither_a_reference_nor_a_window(tmp_path):
    state = State(Partition(0, RULES, ReferenceFiles(tmp_path), lambda _: None), Known())
    mark = ((REPLAY_HEADER, b"1"),)
    state.add(records(range(50, 60), at=0, headers=mark))
    state.add(records(range(4), at=1))  # the reference
    state.add(records(range(10, 13), at=11))
    state.add(records(range(20, 29), at=11, headers=mark))
    state.tick(START + timedelta(seconds=12))
    [window] = state.tick(START + timedelta(seconds=40))
    assert (window.drift.reference_size, window.drift.sample_size) == (4, 3)


def test_a_call_in_the_future_enters_neither_a_reference_nor_a_window(tmp_path):
    windows = Partition(0, RULES, ReferenceFiles(tmp_path), lambda _: None)
    state, counted = State(windows, Known()), AHEAD._value.get()
    state.add(records(range(10), at=8 * 3600))
    assert (state.needed(), windows.tally.referenced, AHEAD._value.get() - counted) == (None, 0, 10)
