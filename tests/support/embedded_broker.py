"""The embedded broker for a test: real, on a free port, with a fresh log at every start."""

import asyncio
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import TOPICS, Topic
from services.shared.kafka import Kafka
from services.shared.topics import apply
from tests.support.broker import Tansu


class EmbeddedBroker:
    """One port; each `start` is another broker run, with the declared topics applied."""

    def __init__(self) -> None:
        self._tansu = Tansu()
        self.bootstrap = self._tansu.bootstrap
        self.kafka = Kafka(self.bootstrap)

    @property
    def run(self) -> str:
        """The cluster id, which is the name of the log."""
        return self._tansu.run

    @property
    def pid(self) -> int:
        """The process, for signals of the test's own."""
        return self._tansu.pid

    async def start(self, topics: Iterable[Topic[Any]] = TOPICS) -> None:
        self._tansu.start()
        await apply(self.kafka, topics)

    def kill(self) -> None:
        self._tansu.stop()

    async def read(self, topic: Topic[Any]) -> list[Any]:
        """Every message that is on the topic, partition by partition."""
        return [topic.message.decode(value) for value in await self.values(topic)]

    async def values(self, topic: Topic[Any]) -> list[bytes]:
        """Every value that is on the topic, partition by partition."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, auto_offset_reset="earliest", fetch_max_wait_ms=50
        )
        await consumer.start()
        try:
            places = [TopicPartition(topic.name, partition) for partition in range(topic.partitions)]
            consumer.assign(places)
            found: dict[TopicPartition, list[bytes]] = {place: [] for place in places}
            while not await self._read_all(consumer, places):
                for place, records in (await consumer.getmany(timeout_ms=100)).items():
                    found[place] += [record.value for record in records]
            return [value for place in places for value in found[place]]
        finally:
            await consumer.stop()

    @staticmethod
    async def _read_all(consumer: AIOKafkaConsumer, places: list[TopicPartition]) -> bool:
        # The high watermark of a fetch: this broker's answer to ListOffsets leaves out the rest of the last batch.
        marks = [consumer.highwater(place) for place in places]
        return None not in marks and all(
            [await consumer.position(place) >= mark for place, mark in zip(places, marks, strict=True)]
        )

    async def commit(self, group: str, offsets: dict[tuple[str, int], int]) -> None:
        """Commit offsets as a member of `group` would."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, group_id=group, enable_auto_commit=False)
        await consumer.start()
        try:
            consumer.assign([TopicPartition(*place) for place in offsets])
            await consumer.commit({TopicPartition(*place): offset for place, offset in offsets.items()})
        finally:
            await consumer.stop()


async def until(condition: Any, seconds: float = 120) -> None:
    """Wait until `await condition()` is true; TimeoutError says that it never was."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.05)
