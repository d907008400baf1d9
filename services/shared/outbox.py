"""A change of state and its message in one transaction."""

import asyncio
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Table,
    Text,
    and_,
    delete,
    insert,
    or_,
    select,
    update,
)

from schemas.messages import Message
from schemas.topics import Topic
from services.shared.errors import Refused

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "outbox_migrations"
BATCH = 500
POLL_SECONDS = 0.1
KEEP_SECONDS = 3600.0  # an hour: longer than any reader of the old broker's log may lag behind

OUTBOX = Table(
    "outbox",
    MetaData(),
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("topic", Text, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("subject", Text),
    Column("added_at_seconds", Float, nullable=False),
    Column("settled", Boolean, nullable=False),
    Column("published_run", Text),
    Column("published_at_seconds", Float),
)


class Publisher(Protocol):
    """What the outbox needs of a producer: `services.shared.producer.Producer` has it."""

    async def check_run(self) -> str:
        """The run of the broker that `publish` sends to."""

    async def publish(self, messages: Sequence[tuple[str, bytes, bytes]]) -> None:
        """Send (topic without prefix, key, value) in order; return when all are acknowledged."""


class Outbox:
    """The messages of committed changes of state, published in the order they were added.

    Delivery: at least once, and only after the transaction that added them has committed. A broker whose log is new
    (another broker run) gets again every message that is not settled, and everything that was published in the last
    hour: repeats are harmless, a lost order is not. A message that Kafka refuses for good is logged, and holds up
    nothing.
    """

    def __init__(self, engine: Engine, *, keep_seconds: float = KEEP_SECONDS) -> None:
        self._engine = engine
        self._keep_seconds = keep_seconds

    def add(self, connection: Connection, message: Message, topic: Topic[Any], *, subject: str | None = None) -> None:
        """Add `message` to the caller's transaction.

        `subject` names what the message waits for (a decision id): until `settle` it is repeated on every new
        broker run, however old it is.
        """
        connection.execute(
            insert(OUTBOX).values(
                topic=topic.name,
                key=message.key.encode(),
                value=message.encode(),
                subject=subject,
                added_at_seconds=time.time(),
                settled=subject is None,
            )
        )

    def settle(self, connection: Connection, subject: str) -> None:
        """Say, in the caller's transaction, that what the messages of `subject` waited for has come."""
        connection.execute(update(OUTBOX).where(OUTBOX.c.subject == subject).values(settled=True))

    def due(self, broker_run: str, now_seconds: float) -> Sequence[Row[Any]]:
        """The next messages to publish to `broker_run`, oldest first."""
        open_or_recent = or_(~OUTBOX.c.settled, OUTBOX.c.published_at_seconds > now_seconds - self._keep_seconds)
        repeated = and_(OUTBOX.c.published_run != broker_run, open_or_recent)
        statement = select(OUTBOX).where(or_(OUTBOX.c.published_run.is_(None), repeated))
        with self._engine.connect() as connection:
            return connection.execute(statement.order_by(OUTBOX.c.id).limit(BATCH)).all()

    def published(self, ids: Sequence[int], broker_run: str, now_seconds: float) -> None:
        """Remember that `broker_run` has acknowledged the messages `ids`."""
        acknowledged = {"published_run": broker_run, "published_at_seconds": now_seconds}
        with self._engine.begin() as connection:
            connection.execute(update(OUTBOX).where(OUTBOX.c.id.in_(ids)).values(acknowledged))

    def forget(self, now_seconds: float) -> None:
        """Delete what is settled and was published longer ago than is kept."""
        old = OUTBOX.c.published_at_seconds <= now_seconds - self._keep_seconds
        with self._engine.begin() as connection:
            connection.execute(delete(OUTBOX).where(OUTBOX.c.settled, old))

    async def publish_due(self, publisher: Publisher) -> int:
        """Publish one batch and remember it; the number of messages."""
        # The run from before: a broker that changes in the meantime gets the batch again.
        broker_run = await publisher.check_run()
        rows = await asyncio.to_thread(self.due, broker_run, time.time())
        if rows:
            try:
                await publisher.publish([(row.topic, row.key, row.value) for row in rows])
            except Refused as refused:
                # Set aside as published: what Kafka never takes must not hold what was decided after it.
                for at, error in refused.errors.items():
                    log.error("Message %d of the outbox, to %s, is refused: %r", rows[at].id, rows[at].topic, error)
            await asyncio.to_thread(self.published, [row.id for row in rows], broker_run, time.time())
        return len(rows)

    async def run(self, publisher: Publisher) -> None:
        """Publish what is due, for ever; errors of `publisher` pass through, and nothing is lost by them."""
        forgotten_at_seconds = 0.0
        while True:
            if not await self.publish_due(publisher):
                await asyncio.sleep(POLL_SECONDS)
            if time.time() - forgotten_at_seconds > self._keep_seconds / 10:
                forgotten_at_seconds = time.time()
                await asyncio.to_thread(self.forget, forgotten_at_seconds)
