"""What is missing, how old it is, and how it is told."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.writer.completeness.check import Check, windows
from services.writer.completeness.gaps import Extent, Gap, Hole, aged, joined, uncovered, waiting
from services.writer.completeness.log import Log
from services.writer.completeness.look import RECENT, WHOLE_SHARE, Look
from services.writer.config import Config
from services.writer.verification import between

AT = datetime(2026, 1, 31, 12, 0, 7, tzinfo=UTC)
RANGES = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5)).map(lambda each: (each[0], sum(each))))


def offsets(first, last, place="calls.v1|0"):
    return Hole("offsets", place, first, last)


def a_check(*gaps, waiting=0):
    return Check(
        checked_at=AT,
        broker_run="run",
        grace_seconds=60,
        pause_seconds=10,
        covered=0,
        waiting=waiting,
        dead_letters=0,
        refused=0,
        gaps=gaps,
    )


@given(RANGES, st.integers(0, 20), st.integers(0, 40))
def test_what_lies_between_ranges_and_the_ranges_are_everything_once(ranges, start, end):
    left_out = [offset for first, last in between(ranges, start, end) for offset in range(first, last + 1)]
    covered = {offset for first, last in ranges for offset in range(first, last + 1)}
    assert left_out == [offset for offset in range(start, end) if offset not in covered]


@given(RANGES, RANGES)
def test_joined_spans_are_disjoint_and_hold_the_same_offsets(before, fresh):
    spans = joined({"t|0": before}, {"t|0": fresh})["t|0"]
    held = [offset for first, last in spans for offset in range(first, last + 1)]
    assert held == sorted({offset for first, last in (*before, *fresh) for offset in range(first, last + 1)})
    assert all(later[0] > earlier[1] + 1 for earlier, later in pairwise(spans))


@pytest.mark.parametrize(
    ("extent", "spans", "missing", "on_its_way"),
    [
        (Extent(0, 0, 0), [], [], 0),
        (Extent(0, 0, 9), [], [], 9),  # nothing is committed: the writer has only begun
        (Extent(0, 9, 9), [(0, 8)], [], 0),
        (Extent(0, 9, 12), [(0, 9)], [], 2),  # written, and not yet committed
        (Extent(0, 9, 9), [(0, 3), (6, 8)], [(4, 5)], 0),
        (Extent(0, 9, 9), [], [(0, 8)], 0),  # committed, and no range: nothing was written
        (Extent(5, 9, 9), [(0, 1), (5, 8)], [], 0),  # the log begins at 5: what it no longer has is nobody's
        (Extent(0, 9, 9), [(0, 8), (2, 4), (0, 8)], [], 0),  # a repeat, or a replay by the writer
    ],
)
def test_the_ranges_against_the_log(extent, spans, missing, on_its_way):
    found = [(hole.first, hole.last) for hole in uncovered({"t|0": extent}, {"t|0": spans})]
    assert (found, waiting({"t|0": extent}, {"t|0": spans})) == (missing, on_its_way)


def test_a_gap_is_missing_once_the_grace_period_is_over():
    young, old = Gap(offsets(0, 1), AT - timedelta(seconds=59)), Gap(offsets(5, 9), AT - timedelta(seconds=60))
    check = a_check(young, old, waiting=4)
    assert (check.missing("offsets"), check.pending("offsets")) == (5, 6)
    assert (check.missing("calls"), check.pending("calls"), check.oldest_seconds) == (0, 0, 60)


def test_what_is_filled_from_its_beginning_is_young_and_what_grows_at_its_end_is_not():
    before = [Gap(offsets(4, 9), AT)]
    later = AT + timedelta(hours=1)
    assert aged([offsets(7, 9)], before, later) == [Gap(offsets(7, 9), later)]
    assert aged([offsets(4, 99)], before, later) == [Gap(offsets(4, 99), AT)]
    assert aged([offsets(4, 9, "calls.v1|1")], before, later)[0].since == later


def test_the_windows_lie_before_the_check_and_hold_what_is_missing():
    gap = Gap(Hole("calls", "acme|0199", 3, 5), AT - timedelta(hours=1))
    first, second = windows(a_check(gap), 10)
    assert (first.metric, first.mean, second.metric, second.mean) == ("missing_offsets", 0, "missing_calls", 3)
    assert second.window_end == AT.replace(second=0)
    assert windows(a_check(), 10)[1].window_id == second.window_id


class Asked:
    """Notes since when it is asked; holds what it is given, or lacks a number."""

    def __init__(self):
        self.since, self.missing = [], []

    def spans(self, run, extents, since):
        self.since.append(since)
        return {} if since.year > 1970 else {"calls.v1|0": [(0, 8)]}

    def holes(self, since):
        return self.missing

    def last_gaps(self, run):
        return []

    def dead_letters(self):
        return 0

    refused = dead_letters

    def add(self, check):
        pass


def test_the_whole_is_looked_at_first_and_now_and_then_and_as_long_as_something_is_missing():
    store, ticks = Asked(), iter([0, 1, 2, 3, WHOLE_SHARE, WHOLE_SHARE + 1, *range(60, 66)])
    look, log = Look(Config(), store, lambda: next(ticks)), Log("run", {"calls.v1|0": Extent(0, 9, 9)})

    def since(now=AT):
        check = look.check(log, now)
        assert (check.covered, check.missing("offsets")) == (9, 0)
        return store.since[-1].year > 1970 and store.since[-1]

    assert not since()
    assert since(AT + timedelta(seconds=10)) == AT - RECENT
    assert not since()  # its time has come again
    store.missing = [Hole("calls", "acme|0199", 1, 1)]
    assert since()
    assert not since()  # something is missing
    assert not since()


def test_while_the_whole_cannot_be_looked_at_what_is_recent_is():
    store, ticks = Asked(), iter([0, 1, WHOLE_SHARE, WHOLE_SHARE + 10, WHOLE_SHARE + 11, 700, 701])
    look, log = Look(Config(), store, lambda: next(ticks)), Log("run", {"calls.v1|0": Extent(0, 9, 9)})
    look.check(log, AT)
    holes, store.holes = store.holes, failing
    with pytest.raises(TimeoutError):
        look.check(log, AT)
    store.holes = holes
    for _ in range(2):
        assert look.check(log, AT).missing("offsets") == 0
    assert [since.year > 1970 for since in store.since] == [False, False, True, False]


def failing(since):
    raise TimeoutError


def test_a_writer_that_starts_and_cannot_look_at_the_whole_says_so_and_looks_at_what_is_recent():
    store, ticks = Asked(), iter([0, 10, 11, 20, 21, 700, 701])
    look, log = Look(Config(), store, lambda: next(ticks)), Log("run", {"calls.v1|0": Extent(0, 9, 9)})
    before = [Gap(offsets(4, 4), AT), Gap(Hole("calls", "acme|0199", 1, 1), AT)]
    store.last_gaps = lambda run: before
    holes, store.holes = store.holes, failing
    with pytest.raises(TimeoutError):
        look.check(log, AT)
    store.holes = holes
    for _ in range(2):
        check = look.check(log, AT)
        assert (check.whole, check.gaps) == (False, before)
    assert store.since[-2:] == [AT - RECENT, AT - RECENT]
    check = look.check(log, AT)
    assert (check.whole, check.gaps, store.since[-1].year) == (True, [], 1970)


def test_a_new_log_starts_anew():
    store, ticks, extents = Asked(), iter(range(6)), {"calls.v1|0": Extent(0, 9, 9)}
    look = Look(Config(), store, lambda: next(ticks))
    for run in ("run", "run", "other run"):
        look.check(Log(run, extents), AT)
    assert [since.year for since in store.since] == [1970, 2026, 1970]
