"""What a service's own database promises."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import Engine, inspect, text

from services.shared.database import connect, migrate, state_url
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
    engine.dispose()


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
