"""What became of acknowledged calls."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.writer.verification import Found, Waiting, judge, ledger_of, mentioned, uncovered

IDS = [UUID(int=number) for number in range(10)]


def test_every_call_counts_once():
    found = Found(stored={IDS[0]: 1, IDS[1]: 2, IDS[9]: 1}, dead_lettered={IDS[1], IDS[2]})
    verdict = judge(set(IDS[:5]), found, Waiting(spooled={IDS[3]}))
    assert verdict.counts() == {
        "acknowledged": 5,
        "stored": 2,
        "dead_lettered": 1,
        "lost": 1,
        "duplicates": 1,
        "pending": 1,
    }
    assert verdict.lost_ids == (IDS[4],)


def test_nothing_is_lost_while_messages_wait():
    verdict = judge(set(IDS), Found({}, set()), Waiting(messages=1))
    assert (verdict.lost, verdict.pending) == (0, 10)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 10))), st.integers(0, 20), st.integers(0, 40))
def test_uncovered_counts_the_offsets_that_no_range_holds(pairs, start, end):
    ranges = [(first, first + length) for first, length in pairs]
    held = {offset for first, last in ranges for offset in range(first, last + 1)}
    assert uncovered(ranges, start, end) == len(set(range(start, end)) - held)


def test_a_ledger_is_read_up_to_its_torn_end():
    assert ledger_of([f"{IDS[1]}\n", "\n", f"{IDS[1]}\n", f"{IDS[2]}"]) == {IDS[1]}


def test_a_line_that_is_no_id_is_named():
    with pytest.raises(ValueError, match="line 2"):
        ledger_of([f"{IDS[1]}\n", "nonsense\n"])


def test_ids_are_found_in_whatever_a_spool_frames_them_in():
    assert mentioned(b"\x00\x93\xa5" + f'deadbeef {{"call_id":"{IDS[7]}"}}\n'.encode()) == {IDS[7]}
