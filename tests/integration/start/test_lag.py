"""How far behind a service is, with the groups that it has beside its own."""

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import ANSWERS, CALLS, FEEDBACK
from services.embedded.lag import LagReader
from services.embedded.services import SERVICES
from tests.support.broker import declare, put

pytestmark = pytest.mark.embedded


async def commit(kafka, group, topic, offset):
    place = TopicPartition(kafka.full(topic.name), 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, group_id=kafka.full(group), enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([place])
        await consumer.commit({place: offset})
    finally:
        await consumer.stop()


async def test_a_service_is_behind_by_what_each_of_its_groups_has_to_read(kafka):
    await declare(kafka, CALLS, FEEDBACK, ANSWERS)
    await put(kafka, CALLS, [b"{}"] * 5)
    await put(kafka, ANSWERS, [b"{}"] * 3)
    await commit(kafka, "quality", CALLS, 4)
    await commit(kafka, "quality", ANSWERS, 3)  # not the group that reads them
    await commit(kafka, "repeats", ANSWERS, 1)
    reader = LagReader(kafka.bootstrap, kafka.prefix, [each for each in SERVICES if each.name == "quality"])
    await reader.start()
    try:
        found = (await reader.read())["quality"]
    finally:
        await reader.close()
    assert (found.messages, found.topics[kafka.full("calls.v1")], found.topics[kafka.full("answers.v1")]) == (3, 1, 2)
