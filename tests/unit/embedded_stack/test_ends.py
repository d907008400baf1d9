"""Where a log on the embedded broker really ends."""

import os

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.embedded.broker import Broker
from services.embedded.ends import true_ends
from tests.unit.embedded_stack.stack_of_programs import free_base

pytestmark = pytest.mark.embedded


async def test_a_whole_batch_counts(tmp_path):
    broker = await Broker.start(free_base(), dict(os.environ), tmp_path / "broker.log")
    address = f"127.0.0.1:{broker.port}"
    try:
        admin = AIOKafkaAdminClient(bootstrap_servers=address)
        await admin.start()
        await admin.create_topics([NewTopic("batched", 2, 1)])
        await admin.close()
        async with AIOKafkaProducer(bootstrap_servers=address) as producer:
            batch = producer.create_batch()
            for _ in range(10):
                batch.append(key=b"k", value=b"v", timestamp=None)
            await (await producer.send_batch(batch, "batched", partition=1))
        places = [TopicPartition("batched", 0), TopicPartition("batched", 1)]
        async with AIOKafkaConsumer(bootstrap_servers=address, fetch_max_wait_ms=50) as consumer:
            assert await true_ends(consumer, places) == {places[0]: 0, places[1]: 10}
            assert await true_ends(consumer, places) == {places[0]: 0, places[1]: 10}
    finally:
        await broker.child.kill()
