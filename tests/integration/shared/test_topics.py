"""The declared topics on real brokers: planned, applied, refused."""

from dataclasses import replace

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import NewTopic
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from schemas.topics import CALLS, DEPLOYMENTS, SCORES, every_topic
from services.shared.agent import safe_app
from services.shared.errors import Unusable
from services.shared.one_log import APPLIED
from services.shared.topics import apply, look
from tests.support.broker import eventually, put
from tests.support.kafka_broker import Apache

pytestmark = pytest.mark.embedded


async def asked(kafka, work):
    admin = kafka.admin()
    await admin.start()
    try:
        return await work(admin)
    finally:
        await admin.close()


async def listed(kafka):
    """All under the prefix, but for the mark that the embedded broker is given."""
    found = await asked(kafka, lambda admin: admin.list_topics())
    return {name for name in found if name.startswith(kafka.prefix)} - {kafka.full(APPLIED)}


async def partitions_of(kafka, topic):
    (found,) = await asked(kafka, lambda admin: admin.describe_topics([kafka.full(topic.name)]))
    return len(found["partitions"])


def step(plan, kafka, topic):
    return next(each for each in plan.steps if each.topic == kafka.full(topic.name))


async def test_every_topic_is_made_once_and_is_then_as_declared(kafka):
    before = await look(kafka, every_topic())
    assert {each.action for each in before.steps} == {"create"}
    assert await listed(kafka) == set()
    await apply(kafka, every_topic())
    assert await listed(kafka) == {kafka.full(topic.name) for topic in every_topic()}
    after = await look(kafka, every_topic())
    assert {(each.action, each.notes) for each in after.steps} == {("keep", ())}
    assert not (await apply(kafka, every_topic())).pending


async def test_a_longer_retention_is_set_and_nothing_else_is(kafka):
    await apply(kafka, [replace(CALLS, max_message_bytes=5 * 2**20)])
    longer = replace(CALLS, max_message_bytes=5 * 2**20, retention_seconds=CALLS.retention_seconds * 2)
    done = await apply(kafka, [longer])
    assert [change.setting for change in step(done, kafka, CALLS).changes] == ["retention.ms"]
    assert not (await look(kafka, [longer])).pending, "the largest message is still the one that was set before"


async def test_a_shorter_retention_waits_for_a_person(kafka):
    shorter = replace(CALLS, retention_seconds=3600)
    await apply(kafka, [CALLS])
    assert "--allow-shorter-retention" in step(await apply(kafka, [shorter]), kafka, CALLS).refused[0]
    assert not (await look(kafka, [CALLS])).pending
    await apply(kafka, [shorter], shorter=True)
    assert not (await look(kafka, [shorter])).pending


async def test_partitions_are_added_where_nothing_lies_and_the_broker_can(kafka, broker):
    few = replace(CALLS, partitions=2)
    await apply(kafka, [few])
    done = await apply(kafka, [CALLS])
    if isinstance(broker, Apache):
        assert (step(done, kafka, CALLS).action, await partitions_of(kafka, CALLS)) == ("grow", 8)
    else:
        assert "adds no partitions" in step(done, kafka, CALLS).refused[0]
        assert await partitions_of(kafka, CALLS) == 2


async def test_a_topic_with_messages_keeps_its_partitions_and_its_cleanup_policy(kafka):
    await apply(kafka, [replace(SCORES, partitions=4), DEPLOYMENTS])
    await put(kafka, SCORES, [b"1"])
    done = await apply(kafka, [SCORES, replace(DEPLOYMENTS, cleanup="delete")])
    assert "new version" in step(done, kafka, SCORES).refused[0]
    assert "cleanup.policy" in step(done, kafka, DEPLOYMENTS).refused[0]
    assert await partitions_of(kafka, SCORES) == 4
    assert not (await look(kafka, [DEPLOYMENTS])).pending


async def test_what_nobody_declares_is_told_and_stays(kafka):
    await apply(kafka, [CALLS])
    await asked(kafka, lambda admin: admin.create_topics([NewTopic(f"{kafka.prefix}old.v0", 1, 1)]))
    await eventually(lambda: told(kafka, f"{kafka.prefix}old.v0"))
    await apply(kafka, [CALLS])
    assert await listed(kafka) == {kafka.full("calls.v1"), f"{kafka.prefix}old.v0"}


async def told(kafka, name):
    return (await look(kafka, [CALLS])).unknown == (name,)


async def test_more_copies_than_brokers_are_refused_before_anything_is_made(kafka):
    with pytest.raises(Unusable, match="there are 1"):
        await apply(kafka, [CALLS], replication_factor=3)
    assert await listed(kafka) == set()


async def test_no_topic_is_made_by_being_asked_for(kafka, tmp_path):
    """The embedded broker makes what a plain aiokafka client asks for, with four partitions."""
    name, told = kafka.full("asked-for.v1"), {"bootstrap_servers": kafka.bootstrap, "request_timeout_ms": 1000}
    async with AIOKafkaProducer(**told) as producer:
        with pytest.raises(KafkaError):
            await producer.send_and_wait(name, b"1")
    consumer = AIOKafkaConsumer(name, group_id=kafka.full("group"), **told)
    with pytest.raises(UnknownTopicOrPartitionError):
        await consumer.start()
    await consumer.stop()
    await asked(kafka, lambda admin: admin.describe_topics([name]))
    assert safe_app(kafka, kafka.full("agent"), tmp_path).conf.topic_allow_declare is False
    assert await listed(kafka) == set()
