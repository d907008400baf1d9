"""Fetched records as every consumer of ours reads them: none is jumped over, and no header stops the reader."""

from collections.abc import Iterator
from typing import Any

from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords, _MemoryRecordsPy

from services.shared.gaps import Fetch, Gaps, InOrder


class AnyRecords(MemoryRecords):  # type: ignore[misc]
    """What was fetched, with its bytes, so that it can be read again."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(raw)
        self.raw = raw


class AnyPartitionRecords(PartitionRecords):  # type: ignore[misc]
    """Ends at a gap that may still be filled, and goes on, slowly, where aiokafka cannot decode the name of a header.

    What is no UTF-8 there becomes U+FFFD. Else whoever may write one such record would stop every consumer of its
    topic for as long as it is kept.
    """

    _records: Any
    gaps: Gaps | None = None  # told before the first record is taken
    fetch = Fetch(0.0, 0.0)

    def __next__(self) -> Any:
        try:
            return super().__next__()
        except UnicodeDecodeError:
            self._records = _Lenient(self._records.raw)
            self._records_iterator = self._unpack_records()  # which leaves out what lies before `next_fetch_offset`
            return super().__next__()

    def _unpack_records(self) -> Iterator[Any]:
        if self.gaps is not None:
            self._records = InOrder(self._records, self._tp, self.next_fetch_offset, gaps=self.gaps, fetch=self.fetch)
        yield from super()._unpack_records()


class _Lenient(_MemoryRecordsPy):  # type: ignore[misc]
    def next_batch(self) -> Any:
        raw = self._next_slice
        batch = super().next_batch()
        return _LenientBatch(raw) if isinstance(batch, DefaultRecordBatch) else batch


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    _buffer: bytearray

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _LenientBytes(self._buffer)


class _LenientBytes(bytearray):
    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _LenientBytes(found) if isinstance(at, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)
