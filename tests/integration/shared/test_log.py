"""What a broker keeps, and what it says of it: Apache Kafka does all of this, the embedded broker none."""

import os

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.structs import OffsetAndMetadata

from schemas.topics import CALLS
from services.shared.ends import Ends
from services.shared.kafka import Kafka
from tests.support.broker import committed, declare, log_of, on_both, put

pytestmark = pytest.mark.embedded
GROUP = "latency"


@pytest.fixture
async def with_commit(kafka):
    """A group that committed offset 2 with a note."""
    await declare(kafka, CALLS)
    await put(kafka, CALLS, [b"v"] * 3)
    place = TopicPartition(kafka.full(CALLS.name), 0)
    async with AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap, group_id=kafka.full(GROUP), enable_auto_commit=False
    ) as member:
        member.assign([place])
        await member.commit({place: OffsetAndMetadata(2, "watermark 7")})
    return place


async def offsets_of_group(kafka, places):
    admin = kafka.admin()
    await admin.start()
    try:
        return await admin.list_consumer_group_offsets(kafka.full(GROUP), partitions=places)
    finally:
        await admin.close()


async def test_a_committed_offset_is_kept(kafka, with_commit):
    """The counterpart: only what stands beside the offset is lost on the embedded broker."""
    assert (await offsets_of_group(kafka, [with_commit]))[with_commit].offset == 2


@pytest.mark.beyond_tansu("commit metadata comes back empty: a watermark cannot be kept there")
async def test_what_stands_beside_a_committed_offset_is_kept(kafka, with_commit):
    assert (await offsets_of_group(kafka, [with_commit]))[with_commit].metadata == "watermark 7"


@pytest.mark.beyond_tansu("it drops the connection of who asks for all offsets of a group")
async def test_all_offsets_of_a_group_are_listed(kafka, with_commit):
    assert (await offsets_of_group(kafka, None))[with_commit].offset == 2


@pytest.mark.beyond_tansu("its ListOffsets leaves out all but the first message of the last batch")
async def test_the_end_of_a_log_counts_the_whole_last_batch(kafka):
    await declare(kafka, CALLS)
    place = TopicPartition(kafka.full(CALLS.name), 0)
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        batch = producer.create_batch()
        for _ in range(10):
            batch.append(key=b"k", value=b"v", timestamp=None)
        await (await producer.send_batch(batch, place.topic, partition=place.partition))
    async with AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap) as consumer:
        assert await consumer.end_offsets([place]) == {place: 10}


@pytest.mark.beyond_tansu("its log is held in memory, and every life of it has a name of its own")
@on_both
async def test_a_log_outlives_its_broker_under_the_same_name(mortal_broker):
    kafka = Kafka(mortal_broker.bootstrap)
    await declare(kafka, CALLS)
    await put(kafka, CALLS, [b"1", b"2", b"3"])
    async with AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, group_id=GROUP, enable_auto_commit=False) as member:
        place = TopicPartition(CALLS.name, 0)
        member.assign([place])
        await member.commit({place: 2})
    async with Ends(kafka, [CALLS.name], "test") as ends:
        before = await ends.broker_run()
    mortal_broker.kill()
    mortal_broker.start()
    await declare(kafka, CALLS)
    assert [record.value for record in await log_of(kafka, CALLS)] == [b"1", b"2", b"3"]
    assert await committed(kafka, CALLS, GROUP) == {0: 2}
    async with Ends(kafka, [CALLS.name], "test") as ends:
        assert await ends.broker_run() == before == mortal_broker.run


async def test_the_embedded_broker_keeps_everything_in_memory_whatever_its_topics_say(mortal_broker):
    """When it lets go of what is old, the supervisor need not replace it any more: see `test_broker_memory`."""
    kafka, megabyte = Kafka(mortal_broker.bootstrap), 2**20
    admin = kafka.admin()
    await admin.start()
    short = {"retention.ms": "1", "retention.bytes": "1", "segment.bytes": str(megabyte), "cleanup.policy": "delete"}
    await admin.create_topics([NewTopic(CALLS.name, 1, 1, topic_configs=short)])
    await admin.close()
    before = mortal_broker.resident_bytes
    await put(kafka, CALLS, [os.urandom(megabyte // 2) for _ in range(80)])
    assert mortal_broker.resident_bytes - before > 36 * megabyte
    assert len(await log_of(kafka, CALLS)) == 80
    assert mortal_broker.resident_bytes - before > 36 * megabyte
