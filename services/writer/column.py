"""How the fields of a message become the columns of a table."""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, chain
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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
SPAN = pa.struct([("field", TEXT), ("start", COUNT), ("end", COUNT), ("kind", TEXT), ("value", NUMBER)])
VERSION = pa.uint64()

Extract = Callable[[Any], Any]
Columns = Mapping[str, pa.Array]


class Column(NamedTuple):
    """One column: its Arrow type, where its value stands in the message, and how many of these become an array.

    Without `pack` Arrow converts them one by one, which is slow for times and for whatever holds several values.
    """

    name: str
    type: pa.DataType
    value: Extract
    pack: Callable[[list[Any]], pa.Array] | None = None

    def array(self, messages: Sequence[Message]) -> pa.Array:
        """The column of these messages."""
        values = list(map(self.value, messages))
        return pa.array(values, self.type) if self.pack is None else self.pack(values)


Version = Callable[[Columns, Sequence[Any]], pa.Array]


class Table(NamedTuple):
    """Where messages of one type are stored.

    Of several rows with the same id the one with the largest `row_version` wins: a function of the content alone,
    which `version` takes from the other columns, or from the messages where no column tells.
    """

    name: str
    columns: Sequence[Column]
    version: Version

    @property
    def rows(self) -> str:
        """The table behind the view of the same name."""
        return f"{self.name}_rows"

    def arrow(self, messages: Sequence[Message]) -> pa.Table:
        """The messages as an Arrow table of as many rows, a column at a time."""
        found = {column.name: column.array(messages) for column in self.columns}
        return pa.table({**found, "row_version": self.version(found, messages)})


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


def mapping(name: str, kind: pa.MapType, value: Extract | None = None) -> Column:
    """A column of a mapping; of the field of the same name, or of what `value` finds."""
    return Column(name, kind, value or attrgetter(name), lambda values: _pack_mappings(values, kind))


def spans(name: str) -> Column:
    """A column of lists of spans."""
    return Column(name, pa.list_(SPAN), attrgetter(name), _pack_spans)


def same(_: Columns, messages: Sequence[Message]) -> pa.Array:
    """A version for what never changes: whichever row is kept, it is the same."""
    return pa.repeat(pa.scalar(0, VERSION), len(messages))


def largest(name: str) -> Version:
    """The row with the largest value of a column wins: the latest time, the last step."""
    return lambda columns, _: columns[name].cast(COUNT).cast(VERSION)


def newest(time: str, step: str) -> Version:
    """The row with the latest time wins, of those of one time the largest step (of up to 255)."""

    def version(columns: Columns, _: Sequence[Message]) -> pa.Array:
        steps = pc.min_element_wise(columns[step].cast(COUNT), 255)
        return pc.add(pc.multiply(columns[time].cast(COUNT), 256), steps).cast(VERSION)

    return version


def _pack_times(values: list[Any]) -> pa.Array:
    seconds = np.array([None if time is None else time.timestamp() for time in values], np.float64)
    return pa.array(np.rint(seconds * 1e6), from_pandas=True).cast(pa.int64()).cast(TIME)


def _pack_vectors(values: list[Any]) -> pa.Array:
    if any(len(value) % 4 for value in values):
        raise ValueError("a vector is no sequence of 4-byte numbers")
    joined = b"".join(values)
    numbers = pa.Array.from_buffers(pa.float32(), len(joined) // 4, [None, pa.py_buffer(joined)])
    return pa.ListArray.from_arrays(_ends([len(value) // 4 for value in values]), numbers)


def _pack_mappings(values: list[Any], kind: pa.MapType) -> pa.Array:
    keys = pa.array(list(chain.from_iterable(values)), kind.key_type)
    items = pa.array([item for value in values for item in value.values()], kind.item_type)
    return pa.MapArray.from_arrays(_ends(list(map(len, values))), keys, items)


def _pack_spans(values: list[Any]) -> pa.Array:
    found = list(chain.from_iterable(values))
    parts = [pa.array(list(map(attrgetter(field.name), found)), field.type) for field in SPAN]
    structs = pa.StructArray.from_arrays(parts, fields=list(SPAN))
    return pa.ListArray.from_arrays(_ends(list(map(len, values))), structs)


def _ends(lengths: list[int]) -> pa.Array:
    return pa.array(list(accumulate(lengths, initial=0)), pa.int32())


def _pack_ids(values: list[Any]) -> pa.Array:
    return pa.array([None if value is None else value.bytes for value in values], ID)


_ENCODER = msgspec.json.Encoder()
