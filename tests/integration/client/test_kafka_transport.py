"""The client straight to a real broker, which dies in the middle."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from tidemark import Client

from schemas.messages import Call

pytestmark = pytest.mark.embedded


@pytest.fixture
def broker(mortal_broker):
    return mortal_broker


@pytest.fixture
def client(broker, tmp_path):
    client = Client(
        transport="kafka",
        kafka_bootstrap=broker.bootstrap,
        kafka_prefix="t.",
        tenant="acme",
        version="v1",
        spool=tmp_path / "spool",
        ledger=tmp_path / "ledger",
        linger_seconds=0.01,
        request_seconds=3.0,
        longest_backoff_seconds=0.2,
    )
    yield client
    client.close()


def create_topic(address):
    async def create():
        admin = AIOKafkaAdminClient(bootstrap_servers=address)
        await admin.start()
        await admin.create_topics([NewTopic("t.calls.v1", 2, 1)])
        await admin.close()

    asyncio.run(create())


def stored(address, number):
    """The calls on the topic with their keys, once there are `number`."""

    async def read():
        consumer = AIOKafkaConsumer("t.calls.v1", bootstrap_servers=address, auto_offset_reset="earliest")
        await consumer.start()
        found = []
        try:
            while len(found) < number:
                found.append(await asyncio.wait_for(consumer.getone(), 20))
        finally:
            await consumer.stop()
        return [(record.key.decode(), Call.decode(record.value)) for record in found]

    return asyncio.run(read())


def test_calls_arrive_with_tenant_and_key(broker, client):
    create_topic(broker.bootstrap)
    plain = client.emit(prompt="Why?")
    traced = client.emit(prompt="And then?", trace_id="trace-1")
    assert client.flush(20)
    assert client.stats().acknowledged == 2
    calls = {str(call.call_id): (key, call) for key, call in stored(broker.bootstrap, 2)}
    assert calls[plain][0] == f"acme|{plain}"
    assert calls[traced][0] == "acme|trace-1"
    assert all(call.key == key and call.tenant == "acme" for key, call in calls.values())


def test_a_topic_that_is_missing_is_not_made_by_the_client_and_waits_for_who_makes_it(broker, client):
    """The embedded broker would make it, with partitions of its own, when it is asked for by name."""

    async def listed():
        admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
        await admin.start()
        try:
            return await admin.list_topics()
        finally:
            await admin.close()

    client.emit(prompt="early")
    client.flush(5)
    assert asyncio.run(listed()) == []
    create_topic(broker.bootstrap)
    assert [call.prompt for _, call in stored(broker.bootstrap, 1)] == ["early"]


def test_what_a_dead_broker_missed_is_spooled_and_sent_to_the_next(broker, client, tmp_path):
    create_topic(broker.bootstrap)
    client.emit(prompt="before")
    assert client.flush(20)
    broker.kill()
    call_ids = [client.emit(prompt=str(number)) for number in range(50)]
    assert client.flush(30)
    assert client.stats().spooled == 50
    assert len((tmp_path / "ledger").read_text().split()) == 51
    broker.start()
    create_topic(broker.bootstrap)
    assert {str(call.call_id) for _, call in stored(broker.bootstrap, 50)} >= set(call_ids)


def test_a_call_that_no_broker_takes_is_rejected_alone(broker, client):
    create_topic(broker.bootstrap)
    client.settings.largest_call_bytes = client.settings.longest_text = 20 * 2**20
    client.emit(response="r" * 5 * 2**20)
    good = client.emit(prompt="good")
    assert client.flush(20)
    assert client.stats().rejected == 1
    assert [str(call.call_id) for _, call in stored(broker.bootstrap, 1)] == [good]
