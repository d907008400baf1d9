"""How the fields of a message become the columns of a table."""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import accumulate
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from schemas.messages import Message

TEXT = pa.string()
ID = pa.binary(16)
NUMBER = pa.float64()
COUNT = pa.int64()
FLAG = pa.bool_()
TIME = pa.timestamp("us", "UTC")
NUMBERS = pa.list_(pa.float32())
LABELS = pa.map_(pa.string(), pa.string())
BINS = pa.map_(pa.int32(), pa.float64())
STATISTICS = pa.map_(pa.string(), pa.float64())
SPANS = pa.list_(
    pa.struct([("field", TEXT), ("start", COUNT), ("end", COUNT), ("kind", TEXT), ("value", NUMBER)]),
)

Extract = Callable[[Any], Any]


class Column(NamedTuple):
    """One column: its Arrow type, where its value stands in the message, and how many of these become an array.

    Without `pack` Arrow converts them one by one, which is slow for times and for numbers inside vectors.
    """

    name: str
    type: pa.DataType
    value: Extract
    pack: Callable[[list[Any]], pa.Array] | None = None

    def array(self, messages: Sequence[Message]) -> pa.Array:
        """The column of these messages."""
        values = list(map(self.value, messages))
        return pa.array(values, self.type) if self.pack is None else self.pack(values)


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
            [column.array(messages) for column in self.columns],
            names=[column.name for column in self.columns],
        )


def column(name: str, kind: pa.DataType, source: str = "") -> Column:
    """A column of the field of the same name, or of the dotted path `source`."""
    return Column(name, kind, attrgetter(source or name))


def times(*names: str) -> list[Column]:
    """Columns of times, to the microsecond."""
    return [Column(name, TIME, attrgetter(name), _pack_times) for name in names]


def vector(name: str) -> Column:
    """A column of little-endian float32 values, taken over without looking at them."""
    return Column(name, NUMBERS, attrgetter(name), _pack_vectors)


def uuids(*names: str) -> list[Column]:
    """Columns of ids, as their 16 bytes: half the time of text on both sides."""
    return [Column(name, ID, attrgetter(name), _pack_ids) for name in names]


def json(name: str) -> Column:
    """A column of a nested field as JSON text: names inside it are data, never columns."""
    read = attrgetter(name)
    return Column(name, TEXT, lambda message: _ENCODER.encode(read(message)).decode())


def labels(name: str) -> Column:
    """A column of a mapping of names to texts."""
    read = attrgetter(name)
    return Column(name, LABELS, lambda message: list(read(message).items()))


def statistics(name: str) -> Column:
    """A column of a mapping of names to numbers."""
    read = attrgetter(name)
    return Column(name, STATISTICS, lambda message: list(read(message).items()))


def version(value: Extract) -> Column:
    """The column that decides which of several rows with the same id wins."""
    return Column("row_version", pa.uint64(), value, _pack_versions)


def micros(time: datetime) -> int:
    """Microseconds since the epoch, exactly.

    >>> from datetime import UTC
    >>> micros(datetime(1970, 1, 1, 0, 0, 1, 1, tzinfo=UTC))
    1000001
    """
    return round(time.timestamp() * 1e6)  # exact until the year 2106


def _pack_times(values: list[Any]) -> pa.Array:
    seconds = np.array([None if time is None else time.timestamp() for time in values], np.float64)
    return pa.array(np.rint(seconds * 1e6), from_pandas=True).cast(pa.int64()).cast(TIME)


def _pack_versions(values: list[Any]) -> pa.Array:
    return pa.array(np.fromiter(values, np.uint64, len(values)))  # Arrow alone takes 5 us for a large number


def _pack_vectors(values: list[Any]) -> pa.Array:
    if any(len(value) % 4 for value in values):
        raise ValueError("a vector is no sequence of 4-byte numbers")
    joined = b"".join(values)
    numbers = pa.Array.from_buffers(pa.float32(), len(joined) // 4, [None, pa.py_buffer(joined)])
    ends = accumulate((len(value) // 4 for value in values), initial=0)
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), numbers)


def _pack_ids(values: list[Any]) -> pa.Array:
    return pa.array([None if value is None else value.bytes for value in values], ID)


_ENCODER = msgspec.json.Encoder()
