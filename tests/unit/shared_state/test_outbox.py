"""What the outbox keeps, repeats and forgets."""

import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, select, update
from sqlalchemy.exc import IntegrityError

from schemas.ids import derived_id
from schemas.messages import Command, Target
from schemas.topics import COMMANDS
from services.shared.database import connect, migrate, state_url
from services.shared.outbox import KEEP_SECONDS, MIGRATIONS, OUTBOX, Outbox

TARGET = Target(tenant="local", app="shop", environment="production")


class Log:
    """A broker's log: keeps what was published, or refuses."""

    def __init__(self, broker_run: str = "run-1") -> None:
        self.broker_run = broker_run
        self.messages: list[tuple[str, bytes, bytes]] = []
        self.away = False

    async def check_run(self) -> str:
        return self.broker_run

    async def publish(self, messages) -> None:
        if self.away:
            raise ConnectionError("away")
        self.messages += messages

    @property
    def revisions(self) -> list[int]:
        return [Command.decode(value).expected_revision for _, _, value in self.messages]


@pytest.fixture
def engine(tmp_path: Path):
    engine = connect(state_url(tmp_path, "controller"))
    migrate(engine, MIGRATIONS)
    yield engine
    engine.dispose()


def a_command(revision: int) -> Command:
    return Command(
        decision_id=derived_id("decision", revision),
        kind="rollback",
        target=TARGET,
        from_version="v2",
        to_version="v1",
        expected_revision=revision,
        fencing_token=1,
        policy="default",
        reason="groundedness fell",
        issued_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def add(engine: Engine, outbox: Outbox, *revisions: int, subject: str | None = None) -> None:
    with engine.begin() as connection:
        for revision in revisions:
            outbox.add(connection, a_command(revision), COMMANDS, subject=subject)


async def test_messages_are_published_once_in_order_under_their_key(engine):
    outbox, log = Outbox(engine), Log()
    add(engine, outbox, 1, 2, 3)
    await outbox.publish_due(log)
    await outbox.publish_due(log)
    assert log.revisions == [1, 2, 3]
    assert {(topic, key) for topic, key, _ in log.messages} == {("commands.v1", b"local|shop|production")}


async def test_a_transaction_that_fails_publishes_nothing(engine):
    outbox, log = Outbox(engine), Log()
    with engine.connect() as connection:
        outbox.add(connection, a_command(1), COMMANDS)
        with pytest.raises(IntegrityError):
            connection.exec_driver_sql("INSERT INTO outbox (topic) VALUES (NULL)")
        connection.rollback()
    await outbox.publish_due(log)
    assert log.messages == []


async def test_what_was_not_acknowledged_is_published_again(engine):
    outbox, log = Outbox(engine), Log()
    add(engine, outbox, 1)
    log.away = True
    with pytest.raises(ConnectionError):
        await outbox.publish_due(log)
    log.away = False
    await outbox.publish_due(log)
    assert log.revisions == [1]


async def test_a_new_broker_run_gets_recent_messages_again(engine):
    outbox = Outbox(engine)
    add(engine, outbox, 1, 2)
    await outbox.publish_due(Log("run-1"))
    fresh = Log("run-2")
    await outbox.publish_due(fresh)
    await outbox.publish_due(fresh)
    assert fresh.revisions == [1, 2]


async def test_the_hour_of_a_message_that_waited_for_kafka_begins_when_it_is_published(engine):
    outbox = Outbox(engine)
    add(engine, outbox, 1)
    with engine.begin() as connection:
        connection.execute(update(OUTBOX).values(added_at_seconds=time.time() - 2 * KEEP_SECONDS))
    await outbox.publish_due(Log("run-1"))
    outbox.forget(time.time())
    fresh = Log("run-2")
    await outbox.publish_due(fresh)
    assert fresh.revisions == [1]


async def test_what_an_older_version_published_counts_from_when_it_was_added(tmp_path):
    engine = connect(state_url(tmp_path, "older"))
    first = tmp_path / "first"
    first.mkdir()
    shutil.copy(MIGRATIONS / "outbox_0001.py", first)
    migrate(engine, first)
    with engine.begin() as connection:
        values = "(1, 't', x'00', x'00', 7.0, 1, 'run-1'), (2, 't', x'00', x'00', 8.0, 1, NULL)"
        columns = "id, topic, key, value, added_at_seconds, settled, published_run"
        connection.exec_driver_sql(f"INSERT INTO outbox ({columns}) VALUES {values}")
    migrate(engine, MIGRATIONS)
    with engine.connect() as connection:
        assert connection.scalars(select(OUTBOX.c.published_at_seconds).order_by(OUTBOX.c.id)).all() == [7.0, None]
    engine.dispose()


async def test_an_old_message_is_repeated_until_it_is_settled(engine):
    outbox = Outbox(engine, keep_seconds=-1)
    add(engine, outbox, 1, subject="decision-1")
    add(engine, outbox, 2)
    await outbox.publish_due(Log("run-1"))
    second = Log("run-2")
    await outbox.publish_due(second)
    assert second.revisions == [1]
    with engine.begin() as connection:
        outbox.settle(connection, "decision-1")
    assert await outbox.publish_due(Log("run-3")) == 0


async def test_only_what_is_published_settled_and_old_is_forgotten(engine):
    outbox = Outbox(engine, keep_seconds=-1)
    add(engine, outbox, 1)
    add(engine, outbox, 2, subject="decision-2")
    await outbox.publish_due(Log())
    add(engine, outbox, 3)
    outbox.forget(time.time())
    with engine.connect() as connection:
        values = connection.execute(select(OUTBOX.c.value).order_by(OUTBOX.c.id)).scalars().all()
    assert [Command.decode(value).expected_revision for value in values] == [2, 3]


def test_the_migrated_table_is_the_declared_one(engine):
    migrated = {column["name"]: column["nullable"] for column in inspect(engine).get_columns("outbox")}
    assert migrated == {column.name: bool(column.nullable) for column in OUTBOX.columns}
