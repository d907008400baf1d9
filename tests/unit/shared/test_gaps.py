"""What a fetch of the embedded broker leaves out, and for how long it is waited for."""

import struct
from typing import NamedTuple

import pytest
from aiokafka import TopicPartition
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder

from services.shared.fetched import AnyPartitionRecords, AnyRecords
from services.shared.gaps import WAIT_SECONDS, Fetch, Gaps
from tests.support.broker import BrokenName

PLACE = TopicPartition("scores.v1", 0)
A_PRODUCER = 7


class Read(NamedTuple):
    """What a fetch gave, and from where the next one goes on."""

    values: list[bytes]
    position: int


@pytest.fixture
def gaps():
    return Gaps()


def a_batch(offset: int, *values: bytes, producer: int = -1, headers: tuple = ()) -> bytes:
    """A batch as a broker keeps it: its offset stands first, and the checksum leaves it out."""
    builder = _DefaultRecordBatchBuilderPy(2, 0, False, producer, 0, 0, 100_000)
    for place, value in enumerate(values):
        builder.append(place, 0, b"k", value, list(headers))
    return struct.pack(">q", offset) + bytes(builder.build())[8:]


def read(gaps: Gaps | None, raw: bytes, offset: int, *, asked: float = 0.0, waited: float = 0.0) -> Read:
    records = AnyPartitionRecords(PLACE, AnyRecords(raw), None, offset, None, None, True, 0)
    records.gaps, records.fetch = gaps, Fetch(asked, asked + waited)
    return Read([each.value for each in records], records.next_fetch_offset)


def test_aiokafka_goes_on_after_a_gap():
    assert read(None, a_batch(0, b"a", b"b") + a_batch(5, b"f"), 0) == ([b"a", b"b", b"f"], 6)


def test_a_reader_stops_at_a_gap_and_goes_on_when_it_is_filled(gaps):
    shown = a_batch(0, b"a", b"b") + a_batch(5, b"f")
    assert read(gaps, shown, 0) == ([b"a", b"b"], 2)
    assert read(gaps, a_batch(5, b"f"), 2) == ([], 2)
    assert read(gaps, a_batch(2, b"c", b"d", b"e") + a_batch(5, b"f"), 2) == ([b"c", b"d", b"e", b"f"], 6)


def test_a_batch_that_is_never_shown_is_waited_for_a_second(gaps, caplog):
    assert read(gaps, a_batch(5, b"f"), 2, asked=7.0) == ([], 2)
    assert read(gaps, a_batch(5, b"f"), 2, asked=7.0 + WAIT_SECONDS - 0.01) == ([], 2)
    assert read(gaps, a_batch(5, b"f") + a_batch(9, b"j"), 2, asked=7.0 + WAIT_SECONDS) == ([b"f"], 6)
    assert "scores.v1-0 has nothing at offset 2" in caplog.text
    assert read(gaps, a_batch(9, b"j"), 6, asked=8.5) == ([], 6)


def test_an_old_answer_that_is_read_late_is_no_reason_to_go_on(gaps):
    """The consumer was at work meanwhile: what it has not read was asked for a second ago, and is not what is now."""
    fetched = [(a_batch(5, b"f"), 7.0), (a_batch(5, b"f"), 7.001)]
    assert [read(gaps, raw, 2, asked=asked) for raw, asked in fetched] == [([], 2), ([], 2)]
    assert read(gaps, a_batch(2, b"c", b"d", b"e") + a_batch(5, b"f"), 2, asked=9.0).position == 6


def test_what_the_broker_waited_for_something_to_come_does_not_count(gaps):
    assert read(gaps, a_batch(5, b"f"), 2, asked=7.0, waited=1.5) == ([], 2)
    assert read(gaps, a_batch(5, b"f"), 2, asked=8.5 + WAIT_SECONDS - 0.01) == ([], 2)
    assert read(gaps, a_batch(5, b"f"), 2, asked=8.5 + WAIT_SECONDS) == ([b"f"], 6)


def test_a_gap_of_one_partition_is_not_that_of_another(gaps):
    other = TopicPartition("scores.v1", 1)
    late = Fetch(WAIT_SECONDS, WAIT_SECONDS)
    assert gaps.wait(PLACE, 2, Fetch(0.0, 0.0))
    assert gaps.wait(other, 2, late)
    assert not gaps.wait(PLACE, 2, late)
    assert gaps.waits(other, 2)
    assert not gaps.waits(other, 3)


def test_a_fetch_from_within_a_batch_is_no_gap(gaps):
    assert read(gaps, a_batch(0, b"a", b"b", b"c") + a_batch(3, b"d"), 2) == ([b"c", b"d"], 4)


def test_gaps_beside_idempotent_batches_are_those_of_transactions_and_compaction(gaps):
    assert read(gaps, a_batch(5, b"f", producer=A_PRODUCER) + a_batch(9, b"j", producer=A_PRODUCER), 2) == (
        [b"f", b"j"],
        10,
    )


def test_a_header_that_is_no_utf_8_does_not_end_the_waiting(gaps):
    named = a_batch(0, b"a", headers=((BrokenName("name"), b"1"),))
    assert read(gaps, named + a_batch(5, b"f"), 0) == ([b"a"], 1)


def test_batches_of_the_oldest_formats_are_read(gaps):
    builder = LegacyRecordBatchBuilder(1, 0, 1000)
    builder.append(5, 0, b"k", b"f")
    assert read(gaps, bytes(builder.build()), 2) == ([b"f"], 6)
