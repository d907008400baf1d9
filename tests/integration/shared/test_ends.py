"""Where a log really ends, on a broker that says less than that."""

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from schemas.topics import CALLS, DEPLOYMENTS
from services.shared.ends import FETCH_WAIT_MS, Ends, ends_of_member, true_ends
from services.shared.view import View
from tests.integration.shared.test_view import a_deployment
from tests.support.broker import declare, eventually, log_of
from tests.support.process import a_process, running

pytestmark = pytest.mark.embedded
BATCH = 10


@pytest.fixture
async def batched(kafka):
    """Ten messages on one partition of a topic, in one batch."""
    await declare(kafka, CALLS)
    await in_one_batch(kafka, CALLS, [b"v"] * BATCH)
    return kafka


async def in_one_batch(kafka, topic, values):
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        batch = producer.create_batch()
        for value in values:
            batch.append(key=b"k", value=value, timestamp=None)
        await (await producer.send_batch(batch, kafka.full(topic.name), partition=1))


async def test_a_whole_batch_counts_however_often_it_is_asked(batched):
    places = [TopicPartition(batched.full(CALLS.name), number) for number in (0, 1)]
    async with AIOKafkaConsumer(bootstrap_servers=batched.bootstrap, fetch_max_wait_ms=FETCH_WAIT_MS) as consumer:
        assert await true_ends(consumer, places) == {places[0]: 0, places[1]: BATCH}
        assert await true_ends(consumer, places) == {places[0]: 0, places[1]: BATCH}
        assert await true_ends(consumer, []) == {}


async def test_an_agent_s_watch_sees_the_whole_batch(batched):
    async with Ends(batched, [CALLS.name], "test") as ends:
        assert (await ends.offsets())[batched.full(CALLS.name), 1] == BATCH


async def test_a_member_that_has_read_everything_knows_the_end(batched):
    place = TopicPartition(batched.full(CALLS.name), 1)
    async with AIOKafkaConsumer(
        batched.full(CALLS.name),
        bootstrap_servers=batched.bootstrap,
        group_id=batched.full("g"),
        auto_offset_reset="earliest",
    ) as consumer:
        await eventually(consumer.assignment)
        while await consumer.position(place) < BATCH:
            await consumer.getmany(timeout_ms=100)
        assert (await ends_of_member(consumer))[place] == BATCH


async def test_a_view_is_ready_with_the_whole_batch(kafka, tmp_path):
    await declare(kafka, DEPLOYMENTS)
    await in_one_batch(kafka, DEPLOYMENTS, [a_deployment(f"a{n}", 1).encode() for n in range(50)])
    view = View(DEPLOYMENTS)
    async with running(view, a_process(kafka, tmp_path)):
        await view.ready.wait()
        assert len(view.items()) == 50


async def test_a_test_s_own_reading_misses_nothing(batched):
    assert len(await log_of(batched, CALLS)) == BATCH
