"""Registry objects that name only what matters."""

from datetime import UTC, datetime, timedelta

import httpx

from schemas.ids import derived_id
from schemas.messages import Command, Deployment, Target
from services.registry.registry import Lease, Order, Standing, Version, content_hash

SECRET = "what services show each other"
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
TARGET = Target(tenant="acme", app="shop", environment="production")


def a_version(label: str = "v1", **bundle) -> Version:
    bundle = bundle or {"model": label}
    return Version(TARGET.tenant, TARGET.app, label, content_hash(bundle), bundle, NOW, "ann")


def versions(*labels: str) -> dict[str, Version]:
    return {label: a_version(label) for label in labels}


def a_deployment(version: str = "v1", revision: int = 1, **fields) -> Deployment:
    known = a_version(version)
    return Deployment(
        deployment_id=derived_id("deployment", TARGET.key, revision),
        target=TARGET,
        revision=revision,
        version=version,
        version_hash=known.hash,
        deployed_at=NOW,
        deployed_by="ann",
        **{"bundle": known.bundle, **fields},
    )


def an_order(version: str = "v2", **fields) -> Order:
    return Order(**{"target": TARGET, "version": version, "deployed_by": "ann", **fields})


def a_lease(token: int = 7, holder: str = "rollback", expires_at: datetime = LATER) -> Lease:
    return Lease(token, holder, expires_at)


def running(version: str = "v1", revision: int = 1, **fields) -> Standing:
    return Standing(a_deployment(version, revision), **fields)


def a_command(**fields) -> Command:
    defaults = {
        "decision_id": derived_id("decision", 1),
        "kind": "rollback",
        "target": TARGET,
        "from_version": "v2",
        "to_version": "v1",
        "expected_revision": 2,
        "fencing_token": 7,
        "policy": "default",
        "reason": "groundedness fell",
        "issued_at": NOW,
    }
    return Command(**{**defaults, **fields})


def a_client(app, credential: str, **headers: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app)
    headers["Authorization"] = f"Bearer {credential}"
    return httpx.AsyncClient(transport=transport, base_url="http://registry", headers=headers)
