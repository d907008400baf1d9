"""The gateway as a process, on the real broker: nothing acknowledged is lost, whoever dies."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from schemas.ids import derived_id, uuid7
from schemas.messages import Deployment, Target
from schemas.topics import CALLS, DEPLOYMENTS, FEEDBACK
from services.gateway.broker import KafkaBroker
from services.gateway.retention import passed
from services.shared.producer import Producer
from tests.support.embedded_broker import EmbeddedBroker, until
from tests.support.service_process import ServiceProcess

pytestmark = pytest.mark.embedded

KEY, SECRET = "tdm_made-by-the-supervisor", "a long random text"


@pytest.fixture
async def broker():
    broker = EmbeddedBroker()
    await broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def settings(broker, tmp_path):
    return {
        "TIDEMARK_DATA": str(tmp_path / "data"),
        "TIDEMARK_KAFKA_BOOTSTRAP": broker.bootstrap,
        "TIDEMARK_SECRET": SECRET,
        "TIDEMARK_REGISTRY_BOOTSTRAP_KEY": KEY,
        "TIDEMARK_GATEWAY_SPOOL": str(tmp_path / "data" / "spool"),
        "TIDEMARK_GATEWAY_SEND_SECONDS": "2",
    }


@pytest.fixture
def registry(settings, tmp_path):
    registry = ServiceProcess("registry", tmp_path, **settings)
    registry.start()
    yield registry
    registry.kill()


@pytest.fixture
def gateway(settings, registry, tmp_path):
    gateway = ServiceProcess("gateway", tmp_path, **settings, TIDEMARK_REGISTRY_URL=registry.url)
    gateway.start()
    gateway.ready()
    yield gateway
    gateway.kill()


def a_client(gateway: ServiceProcess) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=gateway.url, headers={"Authorization": f"Bearer {KEY}"}, timeout=10)


@pytest.fixture
async def client(gateway):
    async with a_client(gateway) as client:
        yield client


def some_calls(count: int) -> list[dict[str, object]]:
    now = datetime.now(UTC)
    return [
        {
            "call_id": str(uuid7()),
            "app": "shop",
            "environment": "production",
            "version": "v1",
            "called_at": (now + timedelta(microseconds=number)).isoformat(),
            "prompt": f"question {number}",
        }
        for number in range(count)
    ]


async def emit(client: httpx.AsyncClient, calls: list[dict[str, object]]) -> set[UUID]:
    """Send one body; the ids that were acknowledged, none where nobody answers."""
    try:
        answer = await client.post("/v1/calls", json={"calls": calls})
    except httpx.TransportError:
        return set()
    if answer.status_code != 200:
        return set()
    return {UUID(v["call_id"]) for v in answer.json()["results"] if v["status"] == "stored"}


async def on_the_log(broker: EmbeddedBroker) -> set[UUID]:
    return {call.call_id for call in await broker.read(CALLS)}


async def test_what_is_answered_stored_is_on_the_log_with_the_keys_tenant(broker, client):
    acknowledged = await emit(client, some_calls(100))
    assert len(acknowledged) == 100
    stored = await broker.read(CALLS)
    assert {call.call_id for call in stored} == acknowledged
    assert {call.tenant for call in stored} == {"local"}
    feedback = {
        "feedback_id": str(uuid7()),
        "call_id": str(stored[0].call_id),
        "kind": "thumbs",
        "value": -1,
        "given_at": datetime.now(UTC).isoformat(),
    }
    assert (await client.post("/v1/feedback", json=feedback)).json()["results"][0]["status"] == "stored"
    assert [given.value for given in await broker.read(FEEDBACK)] == [-1]


async def test_a_broker_that_lost_its_log_gets_everything_acknowledged_again(broker, client):
    acknowledged = set()
    for _ in range(5):
        acknowledged |= await emit(client, some_calls(50))
    broker.kill()
    unanswered = await emit(client, some_calls(10))
    await broker.start()

    async def everything_is_there() -> bool:
        return acknowledged <= await on_the_log(broker)

    await until(everything_is_there)
    assert (len(acknowledged), unanswered) == (250, set())
    later = await emit(client, some_calls(10))
    assert len(later) == 10
    assert later <= await on_the_log(broker)


async def test_calls_keep_coming_while_the_broker_is_killed_and_killed_again(broker, client):
    acknowledged: set[UUID] = set()
    over = asyncio.Event()

    async def keep_emitting() -> None:
        while not over.is_set():
            acknowledged.update(await emit(client, some_calls(20)))

    emitters = [asyncio.create_task(keep_emitting()) for _ in range(4)]
    for _ in range(3):
        before = len(acknowledged)

        async def some_more(before: int = before) -> bool:
            return len(acknowledged) > before + 200

        await until(some_more)
        broker.kill()
        await broker.start()
    over.set()
    await asyncio.gather(*emitters)

    async def everything_is_there() -> bool:
        return acknowledged <= await on_the_log(broker)

    await until(everything_is_there)
    assert len(await broker_partitions(broker)) == CALLS.partitions


async def broker_partitions(broker: EmbeddedBroker) -> list[int]:
    admin = broker.kafka.admin()
    await admin.start()
    try:
        (described,) = await admin.describe_topics([CALLS.name])
        return [partition["partition"] for partition in described["partitions"]]
    finally:
        await admin.close()


async def test_a_gateway_that_is_killed_loses_nothing_even_with_the_broker(broker, gateway):
    async with a_client(gateway) as client:
        acknowledged = await emit(client, some_calls(100))
    gateway.kill()
    broker.kill()
    await broker.start()
    gateway.start()

    async def everything_is_there() -> bool:
        return acknowledged <= await on_the_log(broker)

    await until(everything_is_there)
    assert len(acknowledged) == 100


async def test_a_registry_that_is_away_stops_no_call(gateway, registry):
    async with a_client(gateway) as client:
        assert len(await emit(client, some_calls(1))) == 1
    registry.kill()
    gateway.kill()
    gateway.start()
    gateway.ready()
    async with a_client(gateway) as client:
        assert len(await emit(client, some_calls(1))) == 1


async def test_a_deployment_is_told_to_clients_and_survives_a_lost_log(broker, client):
    target = Target(tenant="local", app="shop", environment="production")
    deployment = Deployment(
        deployment_id=derived_id("deployment", target.key, 1),
        target=target,
        revision=1,
        version="v1",
        version_hash="abc",
        deployed_at=datetime.now(UTC),
        deployed_by="ann",
    )
    async with Producer(broker.kafka) as producer:
        await producer.publish([(DEPLOYMENTS.name, deployment.key.encode(), deployment.encode())])

    async def told() -> bool:
        return (await client.get("/v1/deployments/shop/production")).status_code == 200

    await until(told)
    etag = (await client.get("/v1/deployments/shop/production")).headers["ETag"]
    broker.kill()
    await broker.start()
    again = await client.get("/v1/deployments/shop/production", headers={"If-None-Match": etag})
    assert again.status_code == 304


async def test_a_spooled_segment_waits_for_the_groups_of_the_real_broker(broker):
    async with Producer(broker.kafka) as producer:
        await producer.publish([(CALLS.name, str(n).encode(), b"{}") for n in range(50)])
    facts = KafkaBroker(broker.kafka, (CALLS, FEEDBACK), ())
    try:
        before = await facts.progress()
        assert before.run == broker.run
        assert sum(before.ends.values()) == 50
        assert not passed(before.ends, before)
        await broker.commit("writer", {place: end for place, end in before.ends.items() if end})
        after = await facts.progress()
        assert after.reads == {"writer": [CALLS.name, FEEDBACK.name]}
        assert passed(before.ends, after)
        await broker.commit("latency", {next(p for p, end in before.ends.items() if end): 1})
        assert not passed(before.ends, await facts.progress())
    finally:
        await facts.close()
