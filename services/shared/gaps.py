"""Messages that the embedded broker shows late.

It counts the offsets of a batch before it shows the batch. While one producer's batch is between the two, a fetch finds
what another producer wrote after it, and aiokafka would go on from there: the one in between would never be read. Other
brokers show a log in order. Their offsets may have gaps that are never filled, of transactions and of compaction, and
the batches beside such gaps carry a producer's id, which the embedded broker does not give.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from aiokafka import TopicPartition

log = logging.getLogger(__name__)

WAIT_SECONDS = 1.0  # a batch is shown within a millisecond, or never: one that the broker failed to take
NO_PRODUCER = -1


class Gaps:
    """The gaps that one consumer waits at, the newest of each partition."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: dict[TopicPartition, tuple[int, float]] = {}

    def wait(self, place: TopicPartition, offset: int) -> bool:
        """Whether what lies at `offset` may still be shown."""
        now = self._clock()
        at, since = self._since.get(place, (None, now))
        if at != offset:
            self._since[place] = offset, now
            return True
        if now - since < WAIT_SECONDS:
            return True
        log.warning("%s-%d has nothing at offset %d; reading on", place.topic, place.partition, offset)
        return False


class InOrder:
    """Fetched batches from `offset` on, up to the first gap that is waited at."""

    def __init__(self, batches: Any, place: TopicPartition, offset: int, gaps: Gaps) -> None:
        self._batches, self._place, self._offset, self._gaps = batches, place, offset, gaps
        self._next: Any = None

    @property
    def raw(self) -> bytes:
        """All that was fetched, as it came."""
        raw: bytes = self._batches.raw
        return raw

    def has_next(self) -> bool:
        """Whether there is another batch, of which nothing is missing before."""
        if self._next is None and self._batches.has_next():
            self._next = self._batches.next_batch()
        batch = self._next
        if batch is None:
            return False
        gap = batch.base_offset > self._offset and batch.producer_id == NO_PRODUCER
        return not (gap and self._gaps.wait(self._place, self._offset))

    def next_batch(self) -> Any:
        """The batch that `has_next` has found."""
        batch, self._next = self._next, None
        self._offset = batch.next_offset
        return batch
