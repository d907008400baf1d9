"""Several producers on one partition, as the scorers are: a reader who is there sees everything, and in order."""

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import UnknownError

from schemas.topics import CALLS
from services.shared.consumer import Consumer
from services.shared.kafka import Kafka
from tests.support.broker import declare, log_of, producing
from tests.support.process import a_process

pytestmark = pytest.mark.embedded

PRODUCERS, PARTITIONS, BATCHES = 8, 8, 400


async def send(producer, partition, *values):
    """One batch."""
    batch = producer.create_batch()
    for value in values:
        batch.append(key=b"k", value=value, timestamp=None)
    await (await producer.send_batch(batch, CALLS.name, partition=partition))


async def write(kafka, name):
    """Batches of one to three messages, on all partitions at once."""

    async def to(partition):
        for number in range(BATCHES):
            await send(producer, partition, *(b"%d %d %d" % (name, number, place) for place in range(number % 3 + 1)))

    async with producing(kafka) as producer:
        await producer.partitions_for(CALLS.name)
        await asyncio.gather(*map(to, range(PARTITIONS)))


async def test_a_reader_at_the_end_of_the_log_misses_nothing(mortal_broker, tmp_path):
    kafka = Kafka(mortal_broker.bootstrap)
    await declare(kafka, CALLS)
    process = a_process(kafka, tmp_path)
    offsets: dict[TopicPartition, list[int]] = {}
    values: set[tuple[int, bytes]] = set()
    expected = PRODUCERS * PARTITIONS * sum(number % 3 + 1 for number in range(BATCHES))
    async with Consumer(process, [CALLS.name], service="latency", progress=process.watched("latency")) as consumer:
        writing = asyncio.gather(*(write(kafka, name) for name in range(PRODUCERS)))
        quiet = 0
        while quiet < 20:
            found = await consumer.fetch(1000, 0.1)
            quiet = quiet + 1 if writing.done() and not found.messages else 0
            for place, records in found.records.items():
                offsets.setdefault(place, []).extend(record.offset for record in records)
                values |= {(record.partition, record.value) for record in records}
        await writing
    assert len(values) == expected
    assert sum(map(len, offsets.values())) == expected
    assert all(found == sorted(found) for found in offsets.values())


async def test_an_offset_that_the_embedded_broker_never_shows_is_waited_at_and_passed(mortal_broker, caplog):
    """As it counts the offsets of what it then fails to take: here, because something older lies in its place."""
    kafka = Kafka(mortal_broker.bootstrap)
    await declare(kafka, CALLS)
    async with producing(kafka) as producer:
        await producer.send_and_wait(CALLS.name, b"of the log before", b"k", partition=0)
        mortal_broker.restart_empty()
        await producer.send_and_wait(CALLS.name, b"0", b"k", partition=0)
        await declare(kafka, CALLS)
        with pytest.raises(UnknownError):
            await send(producer, 0, b"0", b"1", b"2")
        await send(producer, 0, b"3", b"4", b"5")
    found = [(each.offset, each.value) for each in await log_of(kafka, CALLS)]
    assert found == [(0, b"0"), (3, b"3"), (4, b"4"), (5, b"5")]
    assert "calls.v1-0 has nothing at offset 1; reading on" in caplog.text
