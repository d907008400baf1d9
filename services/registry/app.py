"""HTTP and commands in, deployments and outcomes out."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from fastapi import FastAPI, Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from schemas.messages import Command, Message
from schemas.topics import COMMANDS, OUTCOMES
from services.registry import metrics, routes
from services.registry.body import Body
from services.registry.config import Config
from services.registry.keys import KeyStore
from services.registry.registry import Refused
from services.registry.store import Store
from services.shared.access import Guard, required_secret
from services.shared.database import connect, migrate
from services.shared.errors import Transient
from services.shared.outbox import MIGRATIONS as OUTBOX_MIGRATIONS
from services.shared.outbox import Outbox
from services.shared.pipeline import Pipeline
from services.shared.problem import Problem
from services.shared.process import Runtime, utc_now
from services.shared.publishing import Publishing
from services.shared.web import guarded

MIGRATIONS = Path(__file__).parent / "migrations"
STATUS = {"unknown_version": 404, "invalid_bundle": 400, "invalid_weights": 400}


def build(config: Config) -> tuple[FastAPI, Sequence[Runtime]]:
    """The HTTP side, and what runs beside it: the outbox, and the commands."""
    secret = required_secret(config.secret)
    engine = connect(config.database_url)
    migrate(engine, MIGRATIONS, OUTBOX_MIGRATIONS)
    outbox, keys = Outbox(engine), KeyStore(engine, secret, utc_now)
    if key := config.bootstrap_key.get_secret_value():
        keys.ensure(config.bootstrap_tenant, "bootstrap", key)
    store = Store(engine, outbox, utc_now)
    store.tell_baselines()
    commands = Pipeline("registry", reads=COMMANDS, writes=OUTCOMES, handle=partial(execute, store), acts=True)
    return web(store, keys, secret), (Publishing(outbox), commands)


def execute(store: Store, commands: Sequence[Command]) -> Sequence[Message]:
    """Execute commands; what is said of them goes through the outbox, with the change itself."""
    for command in commands:
        try:
            outcome = store.execute(command)
        except SQLAlchemyError as error:
            raise Transient(f"the registry's database: {error}") from error
        metrics.COMMANDS.labels(str(outcome.evidence["result"])).inc()
    return ()


def web(store: Store, keys: KeyStore, secret: str) -> FastAPI:
    """The registry's HTTP side; every route is denied unless it names its permission."""
    guard = Guard(secret, keys)
    app = guarded("Tidemark registry", "Versions, deployments, leases, baselines and keys.", guard)
    app.add_middleware(Body, guard=guard)
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
