"""HTTP and commands in, deployments and outcomes out."""

from pathlib import Path

from fastapi import FastAPI, Request
from starlette.responses import Response

from services.registry import routes
from services.registry.keys import KeyStore
from services.registry.registry import Refused
from services.registry.store import Store
from services.shared.access import Guard
from services.shared.problem import Problem
from services.shared.web import guarded

MIGRATIONS = Path(__file__).parent / "migrations"
STATUS = {"unknown_version": 404, "invalid_bundle": 400, "invalid_weights": 400}


def web(store: Store, keys: KeyStore, secret: str) -> FastAPI:
    """The registry's HTTP side; every route is denied unless it names its permission."""
    app = guarded("Tidemark registry", "Versions, deployments, leases, baselines and keys.", Guard(secret, keys))
    app.add_exception_handler(Refused, _refused)
    for router in (
        routes.version_routes(store),
        routes.deployment_routes(store),
        routes.lease_routes(store),
        routes.baseline_routes(store),
        routes.freeze_routes(store),
        routes.key_routes(keys),
    ):
        app.include_router(router)
    return app


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    status = STATUS.get(error.code, 409)
    return Problem(status, error.code, error.message, field=error.field, remedy=error.remedy).response()
