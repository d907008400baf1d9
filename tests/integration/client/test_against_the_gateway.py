"""The client, the real gateway and the real broker, while the gateway dies and comes back."""

import pytest
from tidemark import Client

from schemas.topics import CALLS, FEEDBACK
from tests.support.embedded_broker import EmbeddedBroker, until
from tests.support.service_process import ServiceProcess

pytestmark = pytest.mark.embedded

KEY = "tdm_made-by-the-supervisor"


@pytest.fixture
async def broker():
    broker = EmbeddedBroker()
    await broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def gateway(broker, tmp_path):
    settings = {
        "TIDEMARK_DATA": str(tmp_path / "data"),
        "TIDEMARK_KAFKA_BOOTSTRAP": broker.bootstrap,
        "TIDEMARK_SECRET": "a long random text",
        "TIDEMARK_REGISTRY_BOOTSTRAP_KEY": KEY,
    }
    registry = ServiceProcess("registry", tmp_path, **settings)
    registry.start()
    gateway = ServiceProcess("gateway", tmp_path, **settings, TIDEMARK_REGISTRY_URL=registry.url)
    gateway.start()
    gateway.ready()
    yield gateway
    gateway.kill()
    registry.kill()


@pytest.fixture
def client(gateway, tmp_path):
    client = Client(
        url=gateway.url,
        api_key=KEY,
        version="v1",
        spool=tmp_path / "spool",
        ledger=tmp_path / "ledger",
        longest_backoff_seconds=0.2,
    )
    yield client
    client.close()


async def test_everything_acknowledged_is_on_the_topic_though_the_gateway_was_killed(broker, gateway, client, tmp_path):
    call_ids = [client.emit(prompt=f"before {number}", messages=[], context=["Facts."]) for number in range(300)]
    client.feedback(call_ids[0], kind="thumbs", value=-1)
    assert client.flush(30)
    gateway.kill()
    call_ids += [client.emit(prompt=f"meanwhile {number}") for number in range(300)]
    assert client.flush(30)
    gateway.start()
    gateway.ready()
    call_ids += [client.emit(prompt=f"after {number}") for number in range(300)]
    assert client.flush(30)

    async def everything_arrived() -> bool:
        return client.stats().spooled == 0

    await until(everything_arrived)
    stored = await broker.read(CALLS)
    assert {str(call.call_id) for call in stored} == set(call_ids)
    assert sorted((tmp_path / "ledger").read_text().split()) == sorted(call_ids)
    assert {call.sequence for call in stored} == set(range(900))
    assert client.stats().rejected == client.stats().dropped == 0
    assert [given.value for given in await broker.read(FEEDBACK)] == [-1]


async def test_a_target_that_nothing_is_deployed_to_keeps_the_default(gateway, tmp_path):
    client = Client(url=gateway.url, api_key=KEY, default_version="v0", poll_seconds=0.05, spool=tmp_path / "spool")
    assert client._background.deployments.answered.wait(10)
    assert client.deployment().version == "v0"
    client.close()
