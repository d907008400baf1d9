"""A crash at any moment, with interleaved windows, leaves the same final windows."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.shared.tumbling import Timing
from services.windower.windower import Partition
from tests.unit.windower.builders import a_score, second

INTERVAL = 10
disorder = st.floats(0, 12)
steps = st.lists(st.tuples(st.floats(0, 4), disorder), min_size=1, max_size=80)
crashes = st.lists(st.integers(0, 80), max_size=4)


class Store:
    """What a reader of windows keeps: the fuller one of each id."""

    def __init__(self):
        self.windows = {}

    def keep(self, windows):
        for window in windows:
            known = self.windows.get(window.window_id)
            if known is None or window.count > known.count:
                self.windows[window.window_id] = window


def log_of(moves):
    """A log of scores: the clock moves on, each call happened a little before its score came."""
    clock, log = 20.0, []
    for number, (pause, delay) in enumerate(moves):
        clock += pause
        log.append((clock, a_score(number, at=clock - delay, value=float(number), groups={"n": str(number % 2)})))
    return log


def run(log, crashed_at=()):
    store, offset, left = Store(), 0, sorted(crashed_at)
    partition = Partition(0, [INTERVAL], timing=Timing(settle_seconds=3))
    committed, clock = 0, 0.0
    while offset < len(log):
        clock = max(clock, log[offset][0])
        partition.add(log[offset][1], offset)
        offset += 1
        store.keep(partition.tick(second(clock)))
        needed = partition.needed()
        committed = max(committed, offset if needed is None else needed)
        if left and offset >= left[0]:
            left.pop(0)
            partition, offset = Partition(0, [INTERVAL], timing=Timing(settle_seconds=3)), committed
    for pause in range(0, 200, 5):
        store.keep(partition.tick(second(clock + pause)))
    return store.windows, partition


@settings(max_examples=200)
@given(steps, crashes)
def test_the_same_final_windows_with_and_without_crashes(moves, crashed_at):
    log = log_of(moves)
    plain, _ = run(log)
    crashed, partition = run(log, crashed_at)
    assert crashed == plain
    assert partition.needed() is None


@given(steps)
def test_nothing_that_is_at_most_two_intervals_late_is_lost(moves):
    log = log_of(moves)
    windows, partition = run(log)
    assert partition.tally.late == 0
    assert sum(window.count for window in windows.values() if not window.group) == len(log)
