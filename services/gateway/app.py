"""HTTP in, calls and feedback out; deployments the other way."""

from collections.abc import Callable, Sequence
from datetime import datetime

import httpx
from fastapi import FastAPI

from schemas.topics import DEPLOYMENTS, TOPICS
from services.gateway.admission import Admission
from services.gateway.broker import KafkaBroker, KafkaSender
from services.gateway.config import Config
from services.gateway.documentation import document
from services.gateway.expiry import Expiry
from services.gateway.gateway import Limits
from services.gateway.intake import Intake
from services.gateway.keeper import Keeper
from services.gateway.keys import KeyCache
from services.gateway.routes import Deployments, deployment_routes, intake_routes
from services.gateway.spool import Spool
from services.shared.access import Guard, required_secret
from services.shared.kafka import Kafka
from services.shared.object_store import payload_store
from services.shared.process import Runtime, utc_now
from services.shared.producer import Producer
from services.shared.view import View
from services.shared.web import guarded

REGISTRY_SECONDS = 5.0
DESCRIPTION = "Takes calls and feedback; tells what serves a target."


def build(config: Config) -> tuple[FastAPI, Sequence[Runtime]]:
    """The HTTP side, and what runs beside it: the view of deployments, the keys and, where there is one, the spool."""
    secret = required_secret(config.secret)
    deployments = View(DEPLOYMENTS)
    sender = KafkaSender(Producer(Kafka.of(config)), config.send_seconds)
    spool = Spool(config.spool, limit_bytes=config.spool_limit_bytes) if config.spool else None
    keys = KeyCache(_registry(config, secret), config.data / "state" / "gateway-keys.json", config.keys_seconds)
    gates = {"kafka": sender.gate(config.unsettled_bytes), **({"spool": spool.gate} if spool else {})}
    payloads = payload_store(config)
    intake = Intake(sender, spool, config.limits, utc_now, payloads=payloads)
    app = web(intake, deployments, Guard(secret, keys), Admission(config.most, gates), limits=config.limits)
    broker = KafkaBroker(Kafka.of(config), TOPICS, config.spool_groups)
    expiry = Expiry(payloads, config.limits.oldest)
    return app, (deployments, keys, expiry, *([Keeper(spool, sender, broker)] if spool else []))


def _registry(config: Config, secret: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=config.registry_url, headers={"Authorization": f"Bearer {secret}"}, timeout=REGISTRY_SECONDS
    )


def web(
    intake: Intake,
    deployments: Deployments,
    guard: Guard,
    admission: Admission,
    *,
    limits: Limits,
    clock: Callable[[], datetime] = utc_now,
) -> FastAPI:
    """The gateway's HTTP side; every route is denied unless it names its permission."""
    app = guarded("Tidemark gateway", DESCRIPTION, guard)
    app.include_router(intake_routes(intake, admission, limits))
    app.include_router(deployment_routes(deployments))
    document(app, clock)
    return app
