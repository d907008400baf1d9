"""What the producer promises, on a real broker."""

import asyncio
import contextlib

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic
from aiokafka.errors import KafkaError, OutOfOrderSequenceNumber

from schemas.topics import CALLS
from services.shared import producer as producers
from services.shared.kafka import Kafka, connections
from services.shared.metrics import PRODUCER_RECREATIONS
from services.shared.producer import Outgoing, Producer
from tests.support.broker import declare, eventually, log_of, on_both
from tests.support.messages import a_call

pytestmark = pytest.mark.embedded


def some(count):
    return [Outgoing(CALLS.name, b"k", a_call().encode()) for _ in range(count)]


async def a_gap(*_args, **_kwargs):
    """What comes of every send after a gap in the sequence."""
    sent = asyncio.get_running_loop().create_future()
    sent.set_exception(OutOfOrderSequenceNumber())
    return sent


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

        monkeypatch.setattr(broken, "send_batch", a_gap)
        await producer.publish(messages)
        assert await producer._ready() is not broken
    assert await values(kafka) == [message.value for message in messages]


async def test_a_failure_under_load_replaces_one_producer(mortal_broker, monkeypatch):
    kafka = Kafka(mortal_broker.bootstrap)
    await declare(kafka, CALLS)
    before = PRODUCER_RECREATIONS._value.get()
    async with Producer(kafka) as producer:
        broken = await producer._ready()

        async def sends():
            return [await producer.attempt(some(1), 10.0) for _ in range(10)]

        monkeypatch.setattr(broken, "send_batch", a_gap)
        told = await asyncio.gather(*(sends() for _ in range(16)))
    assert PRODUCER_RECREATIONS._value.get() - before == 1
    assert [each.count([False]) for each in told] == [1] * 16


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


async def test_a_new_log_is_written_to_by_a_new_producer(mortal_broker):
    kafka = Kafka(mortal_broker.bootstrap)
    await declare(kafka, CALLS)
    async with Producer(kafka) as producer:
        first = await producer._ready()
        mortal_broker.restart_empty()
        await eventually(lambda: _tells(producer, mortal_broker.run))
        assert await producer._ready() is not first


async def _tells(producer, run):
    with contextlib.suppress(KafkaError, OSError, TimeoutError):
        return await producer.check_run() == run


@pytest.mark.parametrize("ask", [False, True], ids=["not-asked", "asked-for-the-run"])
async def test_what_a_new_log_took_before_it_had_the_topic_is_sent_again(mortal_broker, ask):
    """And nothing before: the embedded broker acknowledges that, drops it, and keeps it in the way of the rest."""
    kafka = Kafka(mortal_broker.bootstrap)
    await declare(kafka, CALLS)
    async with Producer(kafka) as producer:
        await producer.publish(some(1))
        mortal_broker.restart_empty()
        if ask:
            await eventually(lambda: _tells(producer, mortal_broker.run))
        messages = some(3)
        publishing = asyncio.create_task(producer.publish(messages))
        await asyncio.sleep(0.5)
        assert not publishing.done()
        await declare(kafka, CALLS)
        await publishing
    assert [(each.offset, each.value) for each in await log_of(kafka, CALLS)] == [
        (offset, message.value) for offset, message in enumerate(messages)
    ]


async def test_the_embedded_broker_is_not_written_to_while_its_topics_are_made(mortal_broker):
    """It shows a topic before the topic's log begins."""
    kafka = Kafka(mortal_broker.bootstrap)
    async with Producer(kafka) as producer:
        admin = kafka.admin()
        await admin.start()
        await admin.create_topics([NewTopic(CALLS.name, CALLS.partitions, 1)])
        await admin.close()
        assert await producer.attempt(some(1), 10.0) == [False]
        await declare(kafka, CALLS)
        assert await producer.attempt(some(1), 10.0) == [True]
    assert len(await values(kafka)) == 1


async def test_the_embedded_broker_acknowledges_what_goes_to_a_topic_that_it_does_not_have(mortal_broker):
    kafka = Kafka(mortal_broker.bootstrap)
    await declare(kafka, CALLS)
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        await producer.send_and_wait(CALLS.name, b"1", b"k")
        mortal_broker.restart_empty()
        await producer.send_and_wait(CALLS.name, b"2", b"k")
        await declare(kafka, CALLS)
    assert await values(kafka) == []


@pytest.mark.beyond_tansu("its log is held in memory: what it had is gone with it, the topic too")
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
        await asyncio.wait_for(publishing, 30)
    assert await values(kafka) == [message.value for message in early + late]


async def test_a_producer_that_is_closed_while_the_broker_is_away_leaves_nothing_behind(mortal_broker, monkeypatch):
    monkeypatch.setattr(producers, "CLOSE_SECONDS", 1.0)
    kafka = Kafka(mortal_broker.bootstrap)
    await declare(kafka, CALLS)
    producer = Producer(kafka)
    await producer.connected()
    client = (await producer._ready()).client
    sender = producer._producer._sender.sender_task
    mortal_broker.kill()
    attempt = asyncio.create_task(producer._attempt(some(1)))
    await asyncio.sleep(0.5)
    await producer.close()
    assert sender.done()
    assert client._sync_task is None
    assert connections(client) == ()
    (told,) = await asyncio.wait_for(attempt, 5)
    assert told is not None
