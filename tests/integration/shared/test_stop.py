"""How a consumer of aiokafka ends when its broker has gone, and what it talks through."""

import asyncio

import aiokafka.consumer.consumer
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import Fetcher

from schemas.topics import CALLS
from services.shared.kafka import Kafka, broker_run, connections
from tests.support.broker import declare, eventually

pytestmark = pytest.mark.embedded


async def a_consumer_whose_fetch_has_failed(broker):
    kafka = Kafka(broker.bootstrap)
    await declare(kafka, CALLS)
    consumer = AIOKafkaConsumer(
        kafka.full(CALLS.name), bootstrap_servers=kafka.bootstrap, retry_backoff_ms=60_000, fetch_max_wait_ms=10_000
    )
    await consumer.start()
    await eventually(lambda: fetches(consumer))
    await asyncio.sleep(0.5)  # until the request is out
    broker.kill()
    await asyncio.sleep(0.5)  # until its failure is in
    assert fetches(consumer)
    return consumer


def fetches(consumer):
    return [task for task in consumer._fetcher._pending_tasks if not task.done()]


async def test_a_consumer_ends_in_order_while_a_fetch_waits_to_be_tried_again(mortal_broker):
    consumer = await a_consumer_whose_fetch_has_failed(mortal_broker)
    await consumer.stop()
    assert connections(consumer._client) == ()


async def test_the_cancellation_of_a_fetch_passes_out_of_stop(mortal_broker, monkeypatch):
    monkeypatch.setattr(aiokafka.consumer.consumer, "Fetcher", Fetcher)
    consumer = await a_consumer_whose_fetch_has_failed(mortal_broker)
    with pytest.raises(asyncio.CancelledError):
        await consumer.stop()
    await consumer._client.close()


async def test_a_connection_that_was_closed_is_none(mortal_broker):
    client = AIOKafkaClient(bootstrap_servers=mortal_broker.bootstrap)
    await client.bootstrap()
    await broker_run(client)
    assert connections(client)
    mortal_broker.kill()
    await eventually(lambda: connections(client) == (), 10)
    await client.close()
