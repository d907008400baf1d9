"""Checks completeness for as long as the writer runs, beside its inserts."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiokafka.errors import KafkaError
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from schemas.topics import WINDOWS, Topic
from services.shared.process import Process
from services.shared.producer import Producer, Writes
from services.writer import metrics
from services.writer.completeness.check import Check, windows
from services.writer.completeness.log import LogReader
from services.writer.completeness.look import Look
from services.writer.completeness.records import Records
from services.writer.config import Config

LOG = logging.getLogger(__name__)
SEND_SECONDS = 10.0
AWAY = (ClickHouseError, HTTPError, KafkaError, OSError, TimeoutError)


class Monitor:
    """Compares log and store every `completeness_seconds`, and says what came of it.

    It has a connection and a thread of its own, so no insert waits for it, and it never ends by itself: what is away
    is asked again. Repeats: several writers find the same, and publish it under the same ids.
    """

    name = "completeness"

    def __init__(self, config: Config, topics: Sequence[Topic[Any]], connect: Callable[[], Client]) -> None:
        self._config, self._topics, self._records = config, topics, Records(connect)
        self._look = Look(config, self._records)

    async def run(self, process: Process) -> None:
        """Check until the process is to stop."""
        log = LogReader(process.kafka, self._topics, self._config.group_of("writer"))
        loop, producer = asyncio.get_running_loop(), Producer(process.kafka)
        with ThreadPoolExecutor(1, thread_name_prefix=self.name) as thread:
            pause_seconds = 0.0
            while not await process.stopped_within(pause_seconds):
                pause_seconds = float(self._config.completeness_seconds)
                try:
                    if found := await log.read():
                        check = await loop.run_in_executor(thread, self._look.check, found, process.clock())
                        pause_seconds = check.pause_seconds
                        await self._tell(check, producer)
                except AWAY as error:
                    LOG.warning("Completeness was not checked: %r; trying again", error)
                    self._records.forget()
                    await _closed(log)
            await producer.close()
            await _closed(log)

    async def _tell(self, check: Check, producer: Producer) -> None:
        metrics.show(check)
        outgoing = Writes(WINDOWS).outgoing(windows(check, self._config.completeness_seconds))
        if not all(await producer.attempt(outgoing, SEND_SECONDS)):
            LOG.warning("Kafka did not take the windows of completeness; the next check sends its own")


async def _closed(log: LogReader) -> None:
    try:
        await log.close()
    except AWAY as error:
        LOG.debug("A connection did not end in order: %r", error)
