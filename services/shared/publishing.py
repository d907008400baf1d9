"""Publishes an outbox for as long as the process runs."""

import asyncio
import logging
from typing import Protocol

from aiokafka.errors import KafkaError

from services.shared.errors import Transient
from services.shared.process import Process
from services.shared.producer import Producer

log = logging.getLogger(__name__)

CHECK_SECONDS = 1.0


class Publishes(Protocol):
    """The part of an outbox that is run: publishes what is due, for ever."""

    async def run(self, publisher: Producer) -> None:
        """Publish until cancelled."""


class Publishing:
    """A runtime: `run(build(config), config, background=(Publishing(outbox),))`.

    It has a producer of its own and looks once a second whether the broker's log is another one, which is what makes
    the outbox repeat what nobody has answered.
    """

    def __init__(self, outbox: Publishes, name: str = "outbox") -> None:
        self.name, self._outbox = name, outbox

    async def run(self, process: Process) -> None:
        """Publish until the process is to stop."""
        process.health.unready(self.name, "connecting")
        async with Producer(process.kafka) as producer:
            process.health.ready(self.name)
            publishing = asyncio.create_task(self._publish(producer, process))
            while not await process.stopped_within(CHECK_SECONDS) and not publishing.done():
                await self._check(producer)
            publishing.cancel()
            await asyncio.gather(publishing, return_exceptions=True)
            if not process.stopping.is_set():
                publishing.result()

    async def _publish(self, producer: Producer, process: Process) -> None:
        while True:
            try:
                await self._outbox.run(producer)
            except (Transient, KafkaError, OSError) as error:
                log.warning("The outbox waits for what is away: %r; trying again", error)
                await process.stopped_within(CHECK_SECONDS)

    async def _check(self, producer: Producer) -> None:
        try:
            await producer.check_run()
        except (Transient, KafkaError, OSError, TimeoutError):
            log.warning("Kafka does not answer the outbox; trying again")
