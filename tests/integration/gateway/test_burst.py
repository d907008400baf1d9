"""More than the gateway can take: bounded memory, answers that say when to come back, and nothing acknowledged lost."""

import asyncio
import os
import signal
import time
from collections import Counter
from datetime import UTC, datetime
from uuid import UUID

import httpx
import psutil
import pytest
from tidemark import Client

from schemas.ids import uuid7
from schemas.topics import CALLS
from tests.support.embedded_broker import EmbeddedBroker, until
from tests.support.service_process import ServiceProcess

pytestmark = [pytest.mark.embedded, pytest.mark.slow]

KEY, MEBIBYTE = "tdm_made-by-the-supervisor", 1 << 20
IN_FLIGHT = 8 * MEBIBYTE
MOST_MEBIBYTES = 80  # a body is held raw, decoded, encoded and by the producer; without limits the burst takes 130


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
        "TIDEMARK_SECRET": "a long random text",
        "TIDEMARK_REGISTRY_BOOTSTRAP_KEY": KEY,
        "TIDEMARK_GATEWAY_SPOOL": str(tmp_path / "data" / "spool"),
        "TIDEMARK_GATEWAY_IN_FLIGHT_BYTES": str(IN_FLIGHT),
        "TIDEMARK_GATEWAY_UNSETTLED_BYTES": str(IN_FLIGHT),
    }


@pytest.fixture
def started(settings, tmp_path):
    registry = ServiceProcess("registry", tmp_path, **settings)
    registry.start()
    processes = [registry]

    def start(**more):
        gateway = ServiceProcess("gateway", tmp_path, **settings, **more, TIDEMARK_REGISTRY_URL=registry.url)
        processes.append(gateway)
        gateway.start()
        gateway.ready()
        return gateway

    yield start
    for process in processes:
        process.kill()


def a_body(calls=200, characters=5000):
    now = datetime.now(UTC).isoformat()
    common = {"app": "shop", "environment": "production", "version": "v1", "called_at": now}
    return {"calls": [{**common, "call_id": str(uuid7()), "prompt": "p" * characters} for _ in range(calls)]}


class Senders:
    """Sends bodies from many connections at once; counts the answers and keeps what was acknowledged."""

    def __init__(self, gateway):
        self.statuses, self.acknowledged = Counter(), set()
        self.without_a_time = 0
        limits = httpx.Limits(max_connections=64)
        headers = {"Authorization": f"Bearer {KEY}"}
        self._client = httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=60, limits=limits)
        self._process = psutil.Process(gateway._process.pid)
        self.before = self.peak = self._process.memory_info().rss

    async def send(self, body):
        answer = await self._client.post("/v1/calls", json=body)
        self.peak = max(self.peak, self._process.memory_info().rss)
        self.statuses[answer.status_code] += 1
        if answer.status_code == 200:
            verdicts = answer.json()["results"]
            self.acknowledged |= {UUID(each["call_id"]) for each in verdicts if each["status"] == "stored"}
        elif "Retry-After" not in answer.headers:
            self.without_a_time += 1

    async def burst(self, bodies):
        await asyncio.gather(*(self.send(body) for body in bodies))

    async def close(self):
        await self._client.aclose()


async def stored(broker):
    return {call.call_id for call in await broker.read(CALLS)}


async def test_a_burst_is_refused_in_part_and_what_was_acknowledged_is_stored(broker, started):
    gateway = started()
    senders = Senders(gateway)
    await senders.burst([a_body(2) for _ in range(20)])
    senders.before = senders.peak
    for _ in range(2):
        await senders.burst([a_body() for _ in range(60)])
    await senders.close()
    assert set(senders.statuses) == {200, 429}, senders.statuses
    assert senders.statuses[200] > 20
    assert senders.without_a_time == 0
    assert senders.acknowledged <= await stored(broker)
    assert (senders.peak - senders.before) / MEBIBYTE < MOST_MEBIBYTES


async def test_a_broker_that_stands_still_closes_the_door_and_fills_no_memory(broker, started):
    gateway = started(TIDEMARK_GATEWAY_SEND_SECONDS="1")
    senders = Senders(gateway)
    await senders.burst([a_body() for _ in range(4)])
    senders.before = senders.peak
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        for _ in range(12):  # of one key, which has a quarter in hand: two bodies each time
            await senders.burst([a_body() for _ in range(16)])
        refused = httpx.get(f"{gateway.url}/metrics").text
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    assert 'tidemark_gateway_refused_total{reason="kafka"}' in refused
    assert (senders.peak - senders.before) / MEBIBYTE < MOST_MEBIBYTES
    assert senders.without_a_time == 0

    async def open_again():
        await senders.send(a_body(1))
        return bool(senders.acknowledged - known)

    known = set(senders.acknowledged)
    await until(open_again)
    await senders.close()

    async def all_stored():
        return senders.acknowledged <= await stored(broker)

    await until(all_stored)


async def test_the_client_comes_back_when_it_is_told_and_loses_nothing(broker, started, tmp_path):
    gateway = started(
        TIDEMARK_GATEWAY_RATE_PER_SECOND="100",
        TIDEMARK_GATEWAY_BURST_CALLS="100",
        TIDEMARK_GATEWAY_BATCH_CALLS="100",
    )
    options = {"batch_calls": 100, "longest_backoff_seconds": 0.2, "spool": tmp_path / "spool"}
    client = Client(url=gateway.url, api_key=KEY, version="v1", ledger=tmp_path / "ledger", **options)
    begun = time.monotonic()
    call_ids = [client.emit(prompt=f"question {number}") for number in range(500)]

    async def everything_arrived():
        return client.flush(1) and client.stats().spooled == 0

    await until(everything_arrived)
    seconds = time.monotonic() - begun
    client.close()
    assert {str(call_id) for call_id in await stored(broker)} == set(call_ids)
    assert (client.stats().dropped, client.stats().rejected) == (0, 0)
    assert sorted((tmp_path / "ledger").read_text().split()) == sorted(call_ids)
    said = httpx.get(f"{gateway.url}/metrics").text
    (refused,) = [line for line in said.splitlines() if line.startswith("tidemark_gateway_refused_total")]
    assert refused.startswith('tidemark_gateway_refused_total{reason="too_many"}')
    assert 3 <= float(refused.split()[-1]) <= seconds + 1  # Retry-After was a second; its own patience is a fifth
