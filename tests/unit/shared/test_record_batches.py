"""Whatever Kafka lets a producer write is read: each compression, and headers with any name."""

import aiokafka.consumer.fetcher
import pytest
from aiokafka import TopicPartition
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchBuilderPy

from services.shared import kafka
from tests.support.broker import BrokenName

CODECS = ("NONE", "GZIP", "SNAPPY", "LZ4", "ZSTD")


def a_batch(*, codec="NONE", headers=()):
    """Three records, of which the second one has `headers`."""
    builder = _DefaultRecordBatchBuilderPy(
        magic=2,
        compression_type=getattr(DefaultRecordBatch, f"CODEC_{codec}"),
        is_transactional=False,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=100_000,
    )
    for offset in range(3):
        builder.append(offset, 0, b"k", b"v" * 1000, list(headers) if offset == 1 else [("fine", b"1")])
    return bytes(builder.build())


def read(raw):
    """As the fetcher of every consumer reads it."""
    assert aiokafka.consumer.fetcher.PartitionRecords is kafka.AnyPartitionRecords
    fetcher = aiokafka.consumer.fetcher
    place = TopicPartition("calls", 0)
    return fetcher.PartitionRecords(place, fetcher.MemoryRecords(raw), [], 0, None, None, True, 0)


@pytest.mark.parametrize("codec", CODECS)
def test_every_compression_is_read(codec):
    found = list(read(a_batch(codec=codec)))
    assert [(each.offset, each.value) for each in found] == [(offset, b"v" * 1000) for offset in range(3)]


@pytest.mark.parametrize("codec", CODECS)
def test_a_header_whose_name_is_not_utf_8_stops_nobody(codec):
    raw = a_batch(codec=codec, headers=[("before", b"1"), (BrokenName("name"), b"2"), ("tëst", None)])
    records = read(raw + raw)
    found = list(records)
    assert [each.offset for each in found] == [0, 1, 2]  # the second batch repeats the offsets, and is left out
    assert found[1].headers == (("before", b"1"), ("\ufffdname", b"2"), ("tëst", None))
    assert found[2].headers == (("fine", b"1"),)
    assert records.next_fetch_offset == 3
