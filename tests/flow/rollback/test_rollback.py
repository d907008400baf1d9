"""From bad windows to a verified rollback: broker, ClickHouse, writer, registry, alerter and rollback, all real."""

import contextlib
from datetime import UTC, datetime, timedelta

import clickhouse_connect
import httpx
import pytest
from msgspec.structs import replace

from schemas import clickhouse
from schemas.ids import derived_id
from schemas.topics import ALERTS, DEPLOYMENTS, OUTCOMES, WINDOWS, every_topic
from services.shared.kafka import Kafka
from services.shared.producer import Producer, Writes
from tests.support.broker import eventually
from tests.support.embedded_broker import EmbeddedBroker, until
from tests.support.engine import running
from tests.support.service_process import ServiceProcess
from tests.unit.alerter.streams import a_window

pytestmark = [pytest.mark.embedded, pytest.mark.slow, pytest.mark.timeout(900)]
KEY, SECRET = "tdm_made-by-the-supervisor", "a long random text"
PATH = "/v1/deployments/docs-bot/production"
INTERVAL = 60


def a_minute(start, values, version):
    made = a_window("response_toxicity", values, version=version, interval=INTERVAL)
    identity = derived_id("window", version, start)
    return replace(made, window_id=identity, window_start=start, window_end=start + timedelta(seconds=INTERVAL))


@pytest.fixture
async def broker():
    broker = EmbeddedBroker()
    await broker.start(every_topic())
    yield broker
    broker.kill()


@pytest.fixture
def engine(tmp_path):
    with running(tmp_path / "engine") as engine:
        client = clickhouse_connect.get_client(host="127.0.0.1", port=engine.ports.clickhouse)
        clickhouse.apply(client, clickhouse.Names())
        yield engine


@pytest.fixture
def services(broker, engine, tmp_path):
    told = {
        "TIDEMARK_DATA": str(tmp_path / "data"),
        "TIDEMARK_KAFKA_BOOTSTRAP": broker.bootstrap,
        "TIDEMARK_CLICKHOUSE_URL": engine.url,
        "TIDEMARK_SECRET": SECRET,
    }
    first = {"TIDEMARK_REGISTRY_BOOTSTRAP_KEY": KEY, "TIDEMARK_REGISTRY_BOOTSTRAP_TENANT": "t"}
    made = {"registry": ServiceProcess("registry", tmp_path, **told, **first)}
    told["TIDEMARK_REGISTRY_URL"] = made["registry"].url
    for name in ("writer", "alerter", "rollback"):
        session = {f"TIDEMARK_{name.upper()}_SESSION_SECONDS": "3"}
        made[name] = ServiceProcess(name, tmp_path, **told, **session)
    with contextlib.ExitStack() as ending:
        for service in made.values():
            service.start()
            ending.callback(service.kill)
            service.ready()
        yield made


def deploy(url, *labels):
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {KEY}"}) as client:
        for label in labels:
            body = {"app": "docs-bot", "version": label, "bundle": {"model": label}}
            client.post("/v1/versions", json=body).raise_for_status()
            client.put(PATH, json={"version": label}).raise_for_status()


def history(url):
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {KEY}"}) as client:
        return [deployment["version"] for deployment in client.get(f"{PATH}/history").json()["deployments"]]


async def switches(broker):
    return [made.version for made in await broker.read(DEPLOYMENTS) if made.decision_id]


async def states(broker):
    outcomes = sorted(await broker.read(OUTCOMES), key=lambda outcome: outcome.step)
    return list(dict.fromkeys(outcome.state for outcome in outcomes if outcome.actor != "registry"))


async def test_a_bad_version_is_taken_back_and_the_recovery_verified_though_the_controller_is_killed(broker, services):
    deploy(services["registry"].url, "v1", "v2")

    async def known():
        return any(found.version == "v2" for found in await broker.read(DEPLOYMENTS))

    await until(known)
    now = datetime.fromtimestamp(datetime.now(UTC).timestamp() // INTERVAL * INTERVAL, UTC)
    minute = timedelta(seconds=INTERVAL)
    bad = [a_minute(now - back * minute, [0.6, 0.1] * 10, "v2") for back in (2, 1)]
    async with Producer(Kafka(broker.bootstrap)) as producer:
        await producer.send(bad, Writes(WINDOWS))

    async def taken_back():
        return history(services["registry"].url) == ["v1", "v2", "v1"]

    await until(taken_back, 60)
    services["rollback"].kill()
    (alert,) = await broker.read(ALERTS)
    assert await eventually(lambda: switches(broker)) == ["v1"]  # told from the outbox, a moment after it is stored
    after = now + minute
    good = [a_minute(after + number * minute, [0.01, 0.02] * 10, "v1") for number in range(3)]
    async with Producer(Kafka(broker.bootstrap)) as producer:
        await producer.send(good, Writes(WINDOWS))
    services["rollback"].start()
    services["rollback"].ready()

    async def done():
        return (await states(broker))[-1:] == ["done"]

    await until(done, 200)
    assert await states(broker) == ["proposed", "approved", "executing", "verifying", "done"]
    assert history(services["registry"].url) == ["v1", "v2", "v1"]
    assert await switches(broker) == ["v1"]
    end = next(outcome for outcome in await broker.read(OUTCOMES) if outcome.state == "done")
    assert (end.alert_id, end.evidence["recovery"][0]["count"]) == (alert.alert_id, 60)
    assert end.reason == "response_toxicity: 0.35 before, 0.015 after"
