"""Sends the spool again where it has to be, and deletes what everybody has."""

import logging
import time
from itertools import islice
from typing import Protocol

from aiokafka.errors import KafkaError

from services.gateway import metrics
from services.gateway.intake import Sender
from services.gateway.retention import Progress, advance
from services.gateway.spool import Segment, Spool
from services.shared.process import Process

log = logging.getLogger(__name__)
SEGMENT_BYTES = 16 << 20
SEGMENT_SECONDS = 30.0
SETTLED_SECONDS = 60.0  # longer than any send may take: what is not settled by then never will be
BATCH = 500
STEP_SECONDS = 1.0


class Broker(Protocol):
    """What the keeper asks of the broker."""

    async def run(self) -> str:
        """The name of the life of the broker's log."""

    async def progress(self) -> Progress:
        """How far every topic reaches and every group has come."""

    async def close(self) -> None:
        """Close the connections."""


class Keeper:
    """Keeps the promise of the spool, one step at a time.

    Order: segments are sent again oldest first, entries in the order they were accepted. Repeats: an entry may be
    sent more than once; its id is the same. Nothing is deleted that one running service has not taken.
    """

    name = "spool"

    def __init__(self, spool: Spool, sender: Sender, broker: Broker) -> None:
        self._spool, self._sender, self._broker = spool, sender, broker

    async def step(self, now_seconds: float) -> None:
        """Close a segment that is full or old, send again what a broker lacks, delete what all have."""
        run = await self._broker.run()
        await self._close_segment(run, now_seconds)
        for segment in list(self._spool.closed):
            if segment.sent_run != run and not await self._bring(segment, run, now_seconds):
                break
        await self._delete(now_seconds)
        metrics.SPOOL_BYTES.set(self._spool.bytes)
        metrics.SPOOL_SEGMENTS.set(len(self._spool.closed) + 1)

    async def _close_segment(self, run: str, now_seconds: float) -> None:
        current = self._spool.current
        old = now_seconds - current.opened_at_seconds >= SEGMENT_SECONDS
        if current.run != run:
            log.info("The broker is another one; the spool is sent again.", extra={"was": current.run, "run": run})
        if current.run != run or current.bytes >= SEGMENT_BYTES or old:
            await self._spool.rotate(run)

    async def _bring(self, segment: Segment, run: str, now_seconds: float) -> bool:
        """Whether the segment is as it should be: sent to `run`, or its first sending is not over yet."""
        first_try = segment.run == run and segment.sent_run is None and not segment.failed
        if first_try and segment.pending and now_seconds - (segment.closed_at_seconds or 0) < SETTLED_SECONDS:
            return True
        acknowledged = first_try and not segment.pending
        if not acknowledged and not await self._send(segment):
            return False
        segment.sent(run)
        return True

    async def _send(self, segment: Segment) -> bool:
        entries = segment.entries()
        while batch := list(islice(entries, BATCH)):
            if not all(await self._sender.send_all(batch)):
                return False
            metrics.RESENT.inc(len(batch))
        return True

    async def _delete(self, now_seconds: float) -> None:
        if not self._spool.closed:
            return
        progress = await self._broker.progress()
        for segment in [s for s in self._spool.closed if advance(s, progress, now_seconds)]:
            self._spool.delete(segment)

    async def run(self, process: Process) -> None:
        """Step every second until the process stops; a broker that is away is waited for."""
        while True:
            try:
                await self.step(time.time())
                process.health.ready(self.name)
            except (KafkaError, OSError, TimeoutError) as error:
                process.health.unready(self.name, "The spool waits for Kafka.")
                log.warning("The spool waits for Kafka: %r", error)
            if await process.stopped_within(STEP_SECONDS):
                break
        await self._broker.close()
        await self._spool.close()
