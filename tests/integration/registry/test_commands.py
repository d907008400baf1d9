"""The registry as a process, on the real broker: commands in, deployments and outcomes out."""

import asyncio
from datetime import UTC, datetime

import httpx
import pytest
from msgspec.structs import replace

from schemas.ids import derived_id
from schemas.messages import Command, Target
from schemas.topics import COMMANDS, DEPLOYMENTS, OUTCOMES
from services.shared.producer import Outgoing, Producer
from services.shared.record import REPLAY_HEADER
from tests.support.embedded_broker import EmbeddedBroker, until
from tests.support.service_process import ServiceProcess

pytestmark = pytest.mark.embedded

KEY = "tdm_made-by-the-supervisor"
TARGET = Target(tenant="local", app="shop", environment="production")
PATH = "/v1/deployments/shop/production"


@pytest.fixture
async def broker():
    broker = EmbeddedBroker()
    await broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def registry(broker, tmp_path):
    registry = ServiceProcess(
        "registry",
        tmp_path,
        TIDEMARK_DATA=str(tmp_path / "data"),
        TIDEMARK_KAFKA_BOOTSTRAP=broker.bootstrap,
        TIDEMARK_SECRET="a long random text",
        TIDEMARK_REGISTRY_BOOTSTRAP_KEY=KEY,
    )
    registry.start()
    registry.ready()
    yield registry
    registry.kill()


@pytest.fixture
async def caller(registry):
    async with httpx.AsyncClient(base_url=registry.url, headers={"Authorization": f"Bearer {KEY}"}) as client:
        for label in ("v1", "v2"):
            body = {"app": "shop", "version": label, "bundle": {"model": label}}
            (await client.post("/v1/versions", json=body)).raise_for_status()
            (await client.put(PATH, json={"version": label})).raise_for_status()
        yield client


async def a_command(caller: httpx.AsyncClient) -> Command:
    lease = (await caller.post(f"{PATH}/lease", json={"holder": "rollback"})).json()
    return Command(
        decision_id=derived_id("decision", lease["fencing_token"]),
        kind="rollback",
        target=TARGET,
        from_version="v2",
        to_version="v1",
        expected_revision=lease["revision"],
        fencing_token=lease["fencing_token"],
        policy="default",
        reason="groundedness fell",
        issued_at=datetime.now(UTC),
    )


async def send(broker: EmbeddedBroker, *commands: Command) -> None:
    async with Producer(broker.kafka) as producer:
        await producer.publish([(COMMANDS.name, command.key.encode(), command.encode()) for command in commands])


async def test_a_command_that_comes_twice_has_one_effect(broker, caller):
    command = await a_command(caller)
    await send(broker, command, command)

    async def answered_twice() -> bool:
        return len(await broker.read(OUTCOMES)) == 2 and len(await broker.read(DEPLOYMENTS)) >= 3

    await until(answered_twice)
    first, second = await broker.read(OUTCOMES)
    assert first == second
    assert (first.state, first.actor, first.evidence) == ("executing", "registry", {"result": "applied", "revision": 3})
    history = (await caller.get(f"{PATH}/history")).json()["deployments"]
    assert [made["version"] for made in history] == ["v1", "v2", "v1"]
    assert [made.revision for made in await broker.read(DEPLOYMENTS)] == [1, 2, 3]
    counted = (await caller.get("/metrics")).text
    assert 'tidemark_registry_deployments_total{by="decision"} 1.0' in counted
    assert 'tidemark_registry_deployments_total{by="person"} 2.0' in counted


async def test_a_command_of_a_replay_has_no_effect(broker, caller):
    command = await a_command(caller)
    marked = (COMMANDS.name, command.key.encode(), command.encode(), ((REPLAY_HEADER, b"1"),))
    async with Producer(broker.kafka) as producer:
        await producer.publish([Outgoing(*marked)])
    stranger = replace(command, decision_id=derived_id("decision", "another"), from_version="v9")
    await send(broker, stranger)  # on the same partition, so the first one has been passed

    async def answered() -> bool:
        return bool(await broker.read(OUTCOMES))

    await until(answered)
    assert {outcome.decision_id for outcome in await broker.read(OUTCOMES)} == {stranger.decision_id}
    assert (await caller.get(PATH)).json()["version"] == "v2"


async def test_a_command_survives_a_kill_at_any_moment(broker, registry, caller):
    command = await a_command(caller)
    await send(broker, command)
    await asyncio.sleep(0.05)
    registry.kill()
    registry.start()

    async def told() -> bool:
        outcomes = await broker.read(OUTCOMES)
        return bool(outcomes) and len(await broker.read(DEPLOYMENTS)) >= 3

    await until(told)
    assert {outcome.outcome_id for outcome in await broker.read(OUTCOMES)} == {
        (await broker.read(OUTCOMES))[0].outcome_id
    }
    registry.ready()
    running = (await caller.get(PATH)).json()
    assert (running["revision"], running["version"], running["decision_id"]) == (3, "v1", str(command.decision_id))


async def test_a_broker_that_lost_its_log_is_told_what_runs_and_what_came_of_commands(broker, caller):
    command = await a_command(caller)
    await send(broker, command)

    async def answered() -> bool:
        return bool(await broker.read(OUTCOMES))

    await until(answered)
    broker.kill()
    await broker.start()

    async def told_again() -> bool:
        return bool(await broker.read(OUTCOMES)) and [d.revision for d in await broker.read(DEPLOYMENTS)][-1:] == [3]

    await until(told_again)
    await send(broker, command)

    async def answered_again() -> bool:
        return len(await broker.read(OUTCOMES)) >= 2

    await until(answered_again)
    assert len((await caller.get(f"{PATH}/history")).json()["deployments"]) == 3


async def test_a_clean_stop_and_a_start_keep_everything(registry, caller):
    assert registry.stop() == 0
    registry.start()
    registry.ready()
    assert (await caller.get(PATH)).json()["version"] == "v2"
