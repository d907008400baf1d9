"""How the fields of a message become the columns of a table."""

from collections.abc import Callable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa

from schemas.messages import Message

TEXT = pa.string()
NUMBER = pa.float64()
COUNT = pa.int64()
FLAG = pa.bool_()
TIME = pa.timestamp("us", "UTC")
NUMBERS = pa.list_(pa.float32())
LABELS = pa.map_(pa.string(), pa.string())
BINS = pa.map_(pa.int32(), pa.float64())
SPANS = pa.list_(
    pa.struct([("field", TEXT), ("start", COUNT), ("end", COUNT), ("kind", TEXT), ("value", NUMBER)]),
)

Extract = Callable[[Any], Any]


class Column(NamedTuple):
    """One column: its Arrow type, and where its value stands in the message."""

    name: str
    type: pa.DataType
    value: Extract


class Table(NamedTuple):
    """Where messages of one type are stored; `row_version` is a function of content: the larger one wins."""

    name: str
    columns: Sequence[Column]

    @property
    def rows(self) -> str:
        """The table behind the view of the same name."""
        return f"{self.name}_rows"

    def arrow(self, messages: Sequence[Message]) -> pa.Table:
        """The messages as an Arrow table of as many rows, a column at a time."""
        return pa.table(
            [pa.array(list(map(column.value, messages)), column.type) for column in self.columns],
            names=[column.name for column in self.columns],
        )


def column(name: str, kind: pa.DataType, source: str = "") -> Column:
    """A column of the field of the same name, or of the dotted path `source`."""
    return Column(name, kind, attrgetter(source or name))


def uuids(*names: str) -> list[Column]:
    """Columns of ids; ClickHouse reads them from text."""
    return [Column(name, TEXT, _text_of(attrgetter(name))) for name in names]


def json(name: str) -> Column:
    """A column of a nested field as JSON text: names inside it are data, never columns."""
    read = attrgetter(name)
    return Column(name, TEXT, lambda message: _ENCODER.encode(read(message)).decode())


def labels(name: str) -> Column:
    """A column of a mapping of names to texts."""
    read = attrgetter(name)
    return Column(name, LABELS, lambda message: list(read(message).items()))


def version(value: Extract) -> Column:
    """The column that decides which of several rows with the same id wins."""
    return Column("row_version", pa.uint64(), value)


def micros(time: datetime) -> int:
    """Microseconds since the epoch, exactly.

    >>> from datetime import UTC
    >>> micros(datetime(1970, 1, 1, 0, 0, 1, 1, tzinfo=UTC))
    1000001
    """
    return int(time.timestamp()) * 1_000_000 + time.microsecond


def _text_of(read: Extract) -> Extract:
    def text(message: Any) -> str | None:
        value = read(message)
        return None if value is None else str(value)

    return text


_ENCODER = msgspec.json.Encoder()
