"""A gateway that is asked to stop: what is in hand is answered, within bounds."""

import asyncio
import json
import socket
import time
from datetime import UTC, datetime

import httpx
import pytest

from schemas.ids import uuid7
from schemas.topics import CALLS
from tests.support.embedded_broker import EmbeddedBroker, until
from tests.support.service_process import ServiceProcess

pytestmark = [pytest.mark.embedded, pytest.mark.slow]

KEY = "tdm_made-by-the-supervisor"
DRAIN_SECONDS = 6


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
        "TIDEMARK_GATEWAY_SPOOL": str(tmp_path / "data" / "spool"),
        "TIDEMARK_GATEWAY_DRAIN_SECONDS": str(DRAIN_SECONDS),
    }
    registry = ServiceProcess("registry", tmp_path, **settings)
    registry.start()
    gateway = ServiceProcess("gateway", tmp_path, **settings, TIDEMARK_REGISTRY_URL=registry.url)
    gateway.start()
    gateway.ready()
    yield gateway
    gateway.kill()
    registry.kill()


class HalfSent:
    """A request with one call, in hand of the gateway; the last byte of its body is still to come."""

    def __init__(self, gateway: ServiceProcess) -> None:
        now = datetime.now(UTC).isoformat()
        self.call_id = uuid7()
        call = {"call_id": str(self.call_id), "app": "shop", "environment": "production", "version": "v1"}
        body = json.dumps({**call, "called_at": now, "prompt": "why?"})
        head = f"POST /v1/calls HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {KEY}\r\n"
        self._connection = socket.create_connection(("127.0.0.1", gateway.port), timeout=20)
        self._connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body[:-1]}".encode())
        self._last = body[-1:].encode()

    def finish(self) -> bytes:
        """Send the rest; the answer."""
        self._connection.sendall(self._last)
        answer = b""
        while more := self._connection.recv(65_536):
            answer += more
        return answer

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
async def in_hand(gateway):
    request = HalfSent(gateway)

    async def entered() -> bool:
        return "tidemark_gateway_in_flight_requests 1.0" in httpx.get(f"{gateway.url}/metrics").text

    await until(entered)
    yield request
    request.close()


async def told_to_stop(gateway: ServiceProcess) -> "asyncio.Task[int]":
    """The exit code, some day; returns when nobody listens any more, and what is ended at once has ended."""
    stopping = asyncio.create_task(asyncio.to_thread(gateway.stop))

    async def deaf() -> bool:
        with socket.socket() as asking:
            return asking.connect_ex(("127.0.0.1", gateway.port)) != 0

    await until(deaf)
    await asyncio.sleep(1)
    return stopping


async def test_a_request_in_hand_is_stored_though_it_needs_the_spool(broker, gateway, in_hand):
    stopping = await told_to_stop(gateway)
    answer = await asyncio.to_thread(in_hand.finish)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"status":"stored"' in answer
    assert await stopping == 0
    assert in_hand.call_id in {call.call_id for call in await broker.read(CALLS)}


async def test_a_body_that_never_comes_holds_up_no_stop(gateway, in_hand):
    begun = time.monotonic()
    stopping = await told_to_stop(gateway)
    assert await stopping == 0
    assert time.monotonic() - begun < DRAIN_SECONDS + 1.5
