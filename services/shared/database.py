"""A service's own small state: the engine and its migrations."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import NoSuchModuleError, OperationalError

from services.shared.errors import Transient, Unusable

ENVIRONMENT = Path(__file__).parent / "alembic_environment"
BUSY_TIMEOUT_MILLISECONDS = 30_000


def state_url(data: Path, service: str) -> str:
    """The URL of the SQLite file that holds the state of `service` under the data directory."""
    return f"sqlite:///{data.resolve()}/state/{service}.sqlite"


def connect(url: str) -> Engine:
    """An engine for `url`: SQLite (WAL, synchronous=FULL) or PostgreSQL.

    What `with engine.begin()` committed survives kill -9 and power loss. On SQLite every transaction takes the write
    lock when it begins and waits for it up to 30 s, so none fails half-way because another one was faster. The
    folder of a SQLite file is made, readable by its owner only. Raises `Unusable` where PostgreSQL's driver is missing.
    """
    if make_url(url).get_backend_name() != "sqlite":
        return _server(url)
    file = make_url(url).database
    if file and file != ":memory:":
        Path(file).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = create_engine(url)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin_immediately)
    return engine


def _server(url: str) -> Engine:
    try:
        return create_engine(url, pool_pre_ping=True)
    except (ImportError, NoSuchModuleError) as error:
        remedy = "install psycopg[binary] for postgresql://, or what postgresql+DRIVER:// names"
        raise Unusable(f"the database needs a driver that is not installed ({error}): {remedy}") from error


def migrate(engine: Engine, *folders: Path) -> None:
    """Bring the database to the newest revision of every folder of Alembic revisions, whose files are named for them.

    One transaction: all of it or nothing; processes that start together wait for each other.
    """
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('tidemark migrations'))"))
        if applied(connection) != {newest(folder) for folder in folders}:
            _upgrade(connection, folders)


def newest(folder: Path) -> str:
    """The newest revision of a folder."""
    return max(file.stem for file in folder.glob("*_[0-9]*.py"))


def applied(connection: Connection) -> set[str]:
    """The revisions that the database stands at; none in a new one."""
    if not inspect(connection).has_table("alembic_version"):
        return set()
    return set(connection.scalars(text("SELECT version_num FROM alembic_version")))


def _upgrade(connection: Connection, folders: Sequence[Path]) -> None:
    from alembic import command  # noqa: PLC0415 - half a second that a service which comes back need not pay
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(ENVIRONMENT))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(map(str, folders)))
    config.attributes["connection"] = connection
    command.upgrade(config, "heads")


@contextmanager
def away_is_transient() -> Iterator[None]:
    """Raise `Transient` where the database is away, locked or full: no message is to blame for that."""
    try:
        yield
    except OperationalError as error:
        raise Transient(f"the service's own database: {error.orig}") from error


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN is deferred and skips DDL
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MILLISECONDS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_immediately(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
