"""Messages that the embedded broker shows late.

It counts the offsets of a batch before it shows the batch. While one producer's batch is between the two, a fetch finds
what another producer wrote after it, and aiokafka would go on from there: the one in between would never be read. Other
brokers show a log in order, and nobody waits there: their gaps, of transactions and of compaction, are never filled.
"""

import logging
from typing import Any, NamedTuple

from aiokafka import TopicPartition

log = logging.getLogger(__name__)

WAIT_SECONDS = 1.0  # a batch is shown within a millisecond, or never: one that the broker failed to take
AGAIN_SECONDS = 0.01
NO_PRODUCER = -1


class Fetch(NamedTuple):
    """When the broker was asked, and when it answered: in between it may have waited for something to come."""

    asked_seconds: float
    answered_seconds: float


class Gaps:
    """The gaps that one consumer waits at, the newest of each partition."""

    def __init__(self) -> None:
        self._since: dict[TopicPartition, tuple[int, float]] = {}

    def wait(self, place: TopicPartition, offset: int, fetch: Fetch) -> bool:
        """Whether what `fetch` did not find at `offset` may still be shown.

        What counts is when the broker was asked, not when its answer is read: that may lie about for long.
        """
        at, since = self._since.get(place, (None, 0.0))
        if at != offset:
            self._since[place] = offset, fetch.answered_seconds
            return True
        if fetch.asked_seconds - since < WAIT_SECONDS:
            return True
        log.warning("%s-%d has nothing at offset %d; reading on", place.topic, place.partition, offset)
        return False

    def waits(self, place: TopicPartition, offset: int) -> bool:
        """Whether `offset` is one that is waited for."""
        return place in self._since and self._since[place][0] == offset


class InOrder:
    """Batches that were asked for from `offset` on, up to the first gap that is waited at."""

    def __init__(self, batches: Any, place: TopicPartition, offset: int, *, gaps: Gaps, fetch: Fetch) -> None:
        self._batches, self._place, self._offset = batches, place, offset
        self._gaps, self._fetch = gaps, fetch
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
        # Batches of the oldest formats know neither.
        gap = batch.producer_id == NO_PRODUCER and batch.base_offset > self._offset
        return not (gap and self._gaps.wait(self._place, self._offset, self._fetch))

    def next_batch(self) -> Any:
        """The batch that `has_next` has found."""
        batch, self._next = self._next, None
        self._offset = batch.next_offset
        return batch
