"""What a service's own database promises."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from services.alerter.app import MIGRATIONS as ALERTER
from services.registry.app import MIGRATIONS as REGISTRY
from services.rollback.app import MIGRATIONS as ROLLBACK
from services.shared import database
from services.shared.database import ENVIRONMENT, applied, connect, migrate, newest, state_url
from services.shared.outbox import MIGRATIONS


def opened(tmp_path: Path) -> Engine:
    return connect(state_url(tmp_path, "registry"))


def test_a_commit_is_on_the_disk_when_it_returns(tmp_path):
    engine = opened(tmp_path)
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
    engine.dispose()


def test_the_folder_is_its_owners_only(tmp_path):
    opened(tmp_path).dispose()
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_migrations_repeat_without_harm(tmp_path):
    engine = opened(tmp_path)
    migrate(engine, MIGRATIONS)
    migrate(engine, MIGRATIONS)
    assert inspect(engine).has_table("outbox")
    with engine.connect() as connection:
        assert applied(connection) == {newest(MIGRATIONS)}
    engine.dispose()


def test_a_database_that_is_up_to_date_needs_no_alembic(tmp_path, monkeypatch):
    engine = opened(tmp_path)
    migrate(engine, MIGRATIONS)
    monkeypatch.setattr(database, "_upgrade", None)
    migrate(engine, MIGRATIONS)
    engine.dispose()


@pytest.mark.parametrize("folder", [MIGRATIONS, ALERTER, REGISTRY, ROLLBACK])
def test_the_newest_revision_is_alembic_s_head(folder):
    script = ScriptDirectory(str(ENVIRONMENT), version_locations=[str(folder)])
    assert script.get_heads() == [newest(folder)]


def test_read_then_write_transactions_queue_instead_of_failing(tmp_path):
    engine = opened(tmp_path)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE counter (n INTEGER)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))

    def increment(_: int) -> None:
        with engine.begin() as connection:
            n = connection.execute(text("SELECT n FROM counter")).scalar_one()
            connection.execute(text("UPDATE counter SET n = :n"), {"n": n + 1})

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(increment, range(40)))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT n FROM counter")).scalar_one() == 40
    engine.dispose()
