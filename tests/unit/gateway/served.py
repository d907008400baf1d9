"""The gateway's application over a Kafka and a view that are not there."""

import asyncio

import httpx

from services.gateway.admission import Admission, Most
from services.gateway.app import web
from services.gateway.gateway import Limits
from services.gateway.intake import Intake
from services.shared.access import Guard, KeyHash, KeyIndex, hash_key
from tests.unit.gateway.builders import NOW

SECRET = "what services show each other"
LIMITS = Limits(largest_body_bytes=100_000, most=10)


class Kafka:
    """Takes what it is sent, or takes nothing, or only what is not unwanted."""

    def __init__(self) -> None:
        self.log = []
        self.away = False
        self.until, self.waiting = None, 0

    async def send_all(self, entries):
        if self.until:
            self.waiting += 1
            await self.until.wait()
        taken = [not self.away and b"unwanted" not in entry.value for entry in entries]
        self.log += [entry for entry, acknowledged in zip(entries, taken, strict=True) if acknowledged]
        return taken


class Deployments(dict):
    """A view of the deployments."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.ready.set()


def a_key(name: str, tenant: str, *scopes: str) -> KeyHash:
    return KeyHash(name, tenant, name, hash_key(SECRET, name), scopes)


def an_app(
    kafka,
    deployments,
    spool=None,
    *,
    rate: float = 1000,
    in_flight_bytes: int = 1 << 20,
    payloads=None,
    limits=LIMITS,
    admission=None,
):
    keys = KeyIndex(
        [a_key("emitter", "acme", "emit"), a_key("reader", "acme", "read"), a_key("rival", "rival", "emit")]
    )
    admission = admission or Admission(Most(bytes=in_flight_bytes, per_second=rate, burst=rate))
    intake = Intake(kafka, spool, limits, lambda: NOW, payloads=payloads)
    return web(intake, deployments, Guard(SECRET, keys), admission, limits=limits, clock=lambda: NOW)


def a_client(app, key: str = "emitter") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url="http://gateway", headers={"Authorization": f"Bearer {key}"})
