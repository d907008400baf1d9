"""What the producer promises, on a real broker."""

import asyncio

import pytest
from aiokafka.errors import OutOfOrderSequenceNumber

from schemas.topics import CALLS
from services.shared.kafka import Kafka
from services.shared.producer import Outgoing, Producer
from tests.support.broker import declare, log_of, on_both
from tests.support.messages import a_call

pytestmark = pytest.mark.embedded


def some(count):
    return [Outgoing(CALLS.name, b"k", a_call().encode()) for _ in range(count)]


async def values(kafka):
    return [each.value for each in await log_of(kafka, CALLS)]


async def test_large_and_many_messages_arrive_in_order(kafka):
    await declare(kafka, CALLS)
    messages = [*some(3000), Outgoing(CALLS.name, b"k", a_call(prompt="x" * 4_000_000).encode()), *some(10)]
    async with Producer(kafka) as producer:
        await producer.publish(messages)
    assert await values(kafka) == [message.value for message in messages]


async def test_what_was_not_confirmed_is_sent_again_by_another_producer(kafka, monkeypatch):
    """After a sequence gap every send of an aiokafka producer fails for good (aiokafka#1017)."""
    await declare(kafka, CALLS)
    messages = some(20)
    async with Producer(kafka) as producer:
        broken = await producer._ready()

        async def fail(*_args, **_kwargs):
            gap = asyncio.get_running_loop().create_future()
            gap.set_exception(OutOfOrderSequenceNumber())
            return gap

        monkeypatch.setattr(broken, "send_batch", fail)
        await producer.publish(messages)
        assert await producer._ready() is not broken
    assert await values(kafka) == [message.value for message in messages]


async def test_a_producer_outlives_the_broker_and_tells_the_new_run(mortal_broker):
    kafka = Kafka(mortal_broker.bootstrap)
    await declare(kafka, CALLS)
    async with Producer(kafka) as producer:
        await producer.publish(some(5))
        assert await producer.check_run() == mortal_broker.run
        mortal_broker.kill()
        assert await producer.attempt(some(1), 2.0) == [False]
        mortal_broker.start()
        await declare(kafka, CALLS)
        late = some(3)
        await asyncio.wait_for(producer.publish(late), 60)
        assert await producer.check_run() == mortal_broker.run
    assert (await values(kafka))[-3:] == [message.value for message in late]


@pytest.mark.beyond_tansu("it acknowledges what is sent to a topic that its new, empty log lacks, and keeps nothing")
@on_both
async def test_what_is_being_published_when_the_broker_dies_is_there_once(mortal_broker):
    kafka = Kafka(mortal_broker.bootstrap)
    await declare(kafka, CALLS)
    early, late = some(5), some(3)
    async with Producer(kafka) as producer:
        await producer.publish(early)
        mortal_broker.kill()
        publishing = asyncio.create_task(producer.publish(late))
        mortal_broker.start()
        await asyncio.wait_for(publishing, 90)
    assert await values(kafka) == [message.value for message in early + late]
