"""Rows into ClickHouse, and the range of the log that they cover."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from schemas.messages import Message
from schemas.topics import Topic
from services.shared.errors import Transient
from services.shared.sink import Batch
from services.writer.column import Table
from services.writer.metrics import INSERTS, ROWS
from services.writer.writer import TABLES

RANGES = pa.schema(
    [
        ("broker_run", pa.string()),
        ("topic", pa.string()),
        ("partition", pa.int32()),
        ("first_offset", pa.int64()),
        ("last_offset", pa.int64()),
        ("row_count", pa.uint64()),
        ("dead_letters", pa.uint64()),
        ("inserted_at", pa.timestamp("us", "UTC")),
        ("row_version", pa.uint64()),
    ]
)
# What the data cannot be blamed for; a row that the engine cannot read is one of the others.
BAD_ROW_CODES = frozenset({6, 26, 27, 33, 38, 41, 53, 69, 70, 72, 117, 130, 349, 386})
# By default an insert into more than a hundred partitions is refused, and a batch of old calls would be for ever.
OF_MANY_MONTHS = {"max_partitions_per_insert_block": 0}


class Store:
    """The only writer of every table; for one thread."""

    def __init__(self, connect: Callable[[], Client], clock: Callable[[], datetime]) -> None:
        self._connect, self._clock = connect, clock
        self._client: Client | None = None

    def write(self, topic: Topic[Any], batches: Sequence[Batch[Any]]) -> None:
        """Stores the messages of `batches`, then the ranges that they cover; returns when both are durable.

        Raises `Transient` for whatever the data cannot be blamed for, such as a store that is away or full.
        """
        messages = [record.message for batch in batches for record in batch.records]
        for table in TABLES[topic.message] if messages else ():
            self._insert(table.rows, table_of(table, messages))
        self._insert("ingest_ranges_rows", self._ranges(batches))

    def _insert(self, name: str, rows: pa.Table) -> None:
        try:
            if self._client is None:
                self._client = self._connect()
            with INSERTS.labels(name).time():
                self._client.insert_arrow(name, rows, settings=OF_MANY_MONTHS)
        except (OperationalError, OSError) as error:  # the first is a `DatabaseError` too
            self._client = None
            raise Transient(f"ClickHouse does not answer: {error}") from error
        except DatabaseError as error:
            if error.code in BAD_ROW_CODES:
                raise
            raise Transient(f"ClickHouse does not take rows into {name}: {error}") from error
        ROWS.labels(name).inc(rows.num_rows)

    def _ranges(self, batches: Iterable[Batch[Any]]) -> pa.Table:
        now = self._clock()
        rows = [
            {
                "broker_run": batch.broker_run,
                "topic": batch.topic.name,
                "partition": batch.partition,
                "first_offset": batch.first_offset,
                "last_offset": batch.last_offset,
                "row_count": len(batch.records),
                "dead_letters": len(batch.dead_letters),
                "inserted_at": now,
                "row_version": len(batch.records) + len(batch.dead_letters),
            }
            for batch in batches
        ]
        return pa.Table.from_pylist(rows, schema=RANGES)


def table_of(table: Table, messages: Sequence[Message]) -> pa.Table:
    """The messages as rows; a message that does not fit its columns raises `ValueError` and is bisected out."""
    try:
        return table.arrow(messages)
    except (pa.ArrowException, TypeError, OverflowError) as error:
        raise ValueError(f"a message does not fit {table.name}: {error}") from error
