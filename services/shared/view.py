"""The newest message of each key of a compacted topic, held in memory."""

import asyncio
import logging
import threading
from collections.abc import Mapping
from typing import Generic, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.messages import Message
from schemas.topics import Topic
from services.shared import kafka as clusters
from services.shared.consumer import NewBrokerRun
from services.shared.decoding import Decoder
from services.shared.ends import true_ends
from services.shared.kafka import LARGEST_MESSAGE_BYTES
from services.shared.process import Process
from services.shared.topics import partitions, present

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Message)
WAIT_MS = 500


class View(Generic[M]):
    """Reads `topic` whole, without a group, and follows it; keys are the messages' own `key`.

    `get` and `items` may be called from any thread. They answer from what was read last while the broker is away;
    the log of a new broker run is read from its beginning, and what it does not repeat is kept. `ready` is set when
    everything that was there at the start has been read.
    """

    def __init__(self, topic: Topic[M]) -> None:
        self.name = f"view of {topic.name}"
        self.ready = asyncio.Event()
        self._topic = topic
        self._newest: dict[str, M] = {}
        self._caught_up = threading.Event()

    def get(self, key: str) -> M | None:
        """The newest message with this key; None where there is none."""
        return self._newest.get(key)

    def items(self) -> Mapping[str, M]:
        """The newest message of every key, as it is at this moment."""
        return dict(self._newest)

    def wait(self, timeout_seconds: float) -> bool:
        """From another thread: wait until everything that was there at the start has been read; whether it has."""
        return self._caught_up.wait(timeout_seconds)

    async def run(self, process: Process) -> None:
        """Follow the topic until the process is to stop."""
        process.health.unready(self.name, "reading")
        decoder = Decoder(self._topic, process.config.service or self.name)
        while not process.stopping.is_set():
            try:
                await self._follow(process, decoder)
            except NewBrokerRun as error:
                log.warning("The broker's log is another one: %s; reading %s again", error, self._topic.name)
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning("%s has lost Kafka: %r; trying again", self.name, error)
                await process.stopped_within(1.0)

    async def _follow(self, process: Process, decoder: Decoder[M]) -> None:
        await present(process.kafka, [self._topic.name], self.name)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=process.kafka.bootstrap,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=LARGEST_MESSAGE_BYTES,
            fetch_max_wait_ms=250,
        )
        try:
            await consumer.start()
            log_of = clusters.BrokerRun(consumer._client)
            run = await log_of.now()
            found = await partitions(process.kafka, self._topic.name)
            ends = await true_ends(consumer, found)
            consumer.resume(*found)
            await self._begin(consumer, ends)
            while not process.stopping.is_set():
                await self._take(consumer, decoder, run)
                if (now := await log_of.now()) != run:
                    raise NewBrokerRun(f"{run} is now {now}")
                if not self.ready.is_set() or process.health.reasons.get(self.name):
                    await self._judge(consumer, ends, process)
        finally:
            await clusters.stopped(consumer)

    async def _begin(self, consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> None:
        await consumer.seek_to_beginning(*ends)

    def _keep(self, message: M) -> None:
        self._newest[message.key] = message

    def _forget(self, key: str) -> None:
        self._newest.pop(key, None)

    async def _take(self, consumer: AIOKafkaConsumer, decoder: Decoder[M], run: str) -> None:
        fetched = await consumer.getmany(timeout_ms=WAIT_MS if self.ready.is_set() else 50)
        for raw in fetched.values():
            for deleted in (each for each in raw if each.value is None and each.key is not None):
                self._forget(deleted.key.decode(errors="replace"))
            for record in decoder.batch([each for each in raw if each.value is not None], run).records:
                self._keep(record.message)

    async def _judge(self, consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int], process: Process) -> None:
        if all([await consumer.position(partition) >= end for partition, end in ends.items()]):
            self.ready.set()
            self._caught_up.set()
            process.health.ready(self.name)
