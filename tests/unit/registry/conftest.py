"""The registry on an empty database, and somebody who may do everything."""

import pytest

from services.registry.app import MIGRATIONS, web
from services.registry.keys import KeyStore
from services.registry.store import Store
from services.shared import outbox as outboxes
from services.shared.database import connect, migrate, state_url
from services.shared.outbox import Outbox
from tests.unit.registry.builders import NOW, SECRET, a_client


@pytest.fixture
def engine(tmp_path):
    made = connect(state_url(tmp_path, "registry"))
    migrate(made, MIGRATIONS, outboxes.MIGRATIONS)
    yield made
    made.dispose()


@pytest.fixture
def store(engine):
    return Store(engine, Outbox(engine), lambda: NOW)


@pytest.fixture
def registry(engine, store):
    keys = KeyStore(engine, SECRET, lambda: NOW)
    return web(store, keys, SECRET), keys


@pytest.fixture
async def caller(registry):
    app, keys = registry
    _, key = keys.create("acme", "ann", ["read", "deploy", "admin"])
    async with a_client(app, key) as client:
        yield client
