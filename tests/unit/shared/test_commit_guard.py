"""Faust never commits over a message in hand (faust#606)."""

from collections import defaultdict
from types import SimpleNamespace

import faust.streams
from faust.types import TP
from intervaltree import IntervalTree

from services.shared.commit_guard import GuardedConsumer

PLACE = TP("t", 0)


class Bare(GuardedConsumer):
    """The book-keeping alone."""

    def __init__(self, committed, acked, in_hand) -> None:
        self._gap = defaultdict(IntervalTree)
        self._acked = defaultdict(list, {PLACE: list(acked)})
        self._acked_index = defaultdict(set, {PLACE: set(acked)})
        self._committed_offset = defaultdict(lambda: None, {PLACE: committed})
        self._unacked_messages = {_Message(offset) for offset in in_hand}


class _Message(SimpleNamespace):
    def __init__(self, offset) -> None:
        super().__init__(tp=PLACE, offset=offset, acked=False)

    def __hash__(self) -> int:
        return self.offset


def test_a_hole_of_one_at_the_head_is_not_committed_over():
    assert Bare(2585, [2586, 2587], in_hand=[2585])._new_offset(PLACE) is None


def test_no_hole_is_committed_over_in_a_fresh_group():
    assert Bare(None, [1, 2, 3], in_hand=[0])._new_offset(PLACE) is None


def test_what_lies_before_the_hole_is_committed_and_the_rest_after_it():
    consumer = Bare(10, [10, 11, 13], in_hand=[12])
    assert consumer._new_offset(PLACE) == 12
    consumer._committed_offset[PLACE] = 12
    consumer._unacked_messages.clear()
    consumer._acked[PLACE].append(12)
    assert consumer._new_offset(PLACE) == 14


def test_without_holes_it_is_fausts_own():
    assert Bare(10, [10, 11, 12], in_hand=[])._new_offset(PLACE) == 13


def test_the_compiled_stream_iterator_is_loaded():
    assert faust.streams._CStreamIterator is not None
