"""After an outage, what lies in all partitions comes in the order of its time, not one partition after another."""

import pytest
from aiokafka.consumer.fetcher import FetchError
from aiokafka.errors import TopicAuthorizationFailedError

from schemas.topics import CALLS
from services.shared.consumer import Consumer
from services.shared.tumbling import Tumbling
from tests.support.broker import declare, producing
from tests.support.process import a_process

pytestmark = pytest.mark.embedded

BEGIN, OUTAGE_SECONDS, MESSAGES, BATCH = 1_700_000_000, 600, 4000, 200
BUSY, STEP_SECONDS = 3, 6.0  # a partition with as much as all others; how long the clock runs for each batch


async def put_outage(kafka):
    """Messages of ten minutes, a second of event time in each: half of them in one partition."""
    name = kafka.full(CALLS.name)
    async with producing(kafka) as producer:
        for number in range(MESSAGES):
            partition = BUSY if number % 2 else number // 2 % CALLS.partitions
            at = BEGIN + OUTAGE_SECONDS * number // MESSAGES
            await producer.send(name, b"%d" % at, key=b"k", partition=partition, timestamp_ms=at * 1000)
        await producer.flush()


async def fetched(kafka, tmp_path):
    """The batches in which a member is given all of it."""
    process = a_process(kafka, tmp_path)
    progress = process.watched("latency")
    left = MESSAGES
    async with Consumer(process, [CALLS.name], service="latency", progress=progress) as consumer:
        while left:
            found = await consumer.fetch(BATCH, 1.0, linger_seconds=0.2)
            left -= found.messages
            if found.records:
                yield found.records


async def test_batches_after_an_outage_take_from_every_partition_that_has_something(kafka, tmp_path):
    await declare(kafka, CALLS)
    await put_outage(kafka)
    partitions, counts = [], []
    async for records in fetched(kafka, tmp_path):
        partitions.append(len(records))
        counts.append(sum(map(len, records.values())))
    assert counts == [BATCH] * (MESSAGES // BATCH)
    assert set(partitions[:-1]) == {CALLS.partitions}


async def test_what_was_taken_before_a_partition_fails_is_not_lost(kafka, tmp_path):
    await declare(kafka, CALLS)
    await put_outage(kafka)
    process = a_process(kafka, tmp_path)
    seen, beside = [], None
    async with Consumer(process, [CALLS.name], service="latency", progress=process.watched("latency")) as consumer:
        while len(seen) < MESSAGES:
            waiting = consumer._client._fetcher._records
            fails = beside is None and len(waiting) > 1
            if fails:
                partition = next(reversed(waiting))
                waiting[partition] = FetchError(error=TopicAuthorizationFailedError(partition.topic), backoff=0)
            found = await consumer.fetch(BATCH, 1.0)
            seen += [(each.partition, each.offset) for records in found.records.values() for each in records]
            if fails:
                assert partition not in waiting
                beside = found.messages
    assert beside
    assert len(seen) == len(set(seen)) == MESSAGES


async def test_windows_behind_a_service_that_catches_up_lose_nothing(kafka, tmp_path):
    await declare(kafka, CALLS)
    await put_outage(kafka)
    windows, now, late, offset = Tumbling(list), BEGIN + OUTAGE_SECONDS, 0, 0
    async for records in fetched(kafka, tmp_path):
        for raw in (each for found in records.values() for each in found):
            at, offset = int(raw.value), offset + 1
            windows.reach("latency", at)
            late += windows.find("latency", "all", event_seconds=at, interval_seconds=10, offset=offset) is None
        now += STEP_SECONDS
        list(windows.tick(now))
    assert late == 0
