"""What the broker says of the log that the ranges have to cover."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from schemas.topics import Topic
from services.shared.ends import FETCH_WAIT_MS, true_ends
from services.shared.kafka import Kafka, stopped
from services.writer.completeness.gaps import Extent


class Log(NamedTuple):
    """One life of the log: what each partition (by "topic|partition", without prefix) holds."""

    broker_run: str
    extents: Mapping[str, Extent]


class LogReader:
    """Asks in no group; keeps its connections until something fails. Raises what aiokafka raises, and TimeoutError."""

    def __init__(self, kafka: Kafka, topics: Sequence[Topic[Any]], group: str) -> None:
        # Compaction leaves holes in a log; what it keeps of it cannot be told by offsets.
        self._names = {kafka.full(topic.name): topic.name for topic in topics if topic.cleanup == "delete"}
        self._kafka, self._group = kafka, group
        self._admin: AIOKafkaAdminClient | None = None
        self._consumer: AIOKafkaConsumer | None = None

    async def read(self) -> Log | None:
        """The log; None where it became another one meanwhile. Raises ConnectionError while topics are missing."""
        admin, consumer = await self._connected()
        run = await _run(admin)
        places = await self._places(admin)
        committed = await admin.list_consumer_group_offsets(self._group, partitions=places)
        starts, ends = await consumer.beginning_offsets(places), await true_ends(consumer, places)
        if await _run(admin) != run:
            return None
        return Log(run, {self._place(at): _extent(starts[at], committed.get(at), ends[at]) for at in places})

    async def close(self) -> None:
        """Let go of the connections."""
        admin, self._admin = self._admin, None
        consumer, self._consumer = self._consumer, None
        if admin is not None:
            await admin.close()
        if consumer is not None:
            await stopped(consumer)

    async def _connected(self) -> tuple[AIOKafkaAdminClient, AIOKafkaConsumer]:
        if self._admin is None:
            admin = self._kafka.admin()
            await admin.start()
            self._admin = admin
        if self._consumer is None:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._kafka.bootstrap, enable_auto_commit=False, fetch_max_wait_ms=FETCH_WAIT_MS
            )
            await consumer.start()
            self._consumer = consumer
        return self._admin, self._consumer

    async def _places(self, admin: AIOKafkaAdminClient) -> list[TopicPartition]:
        if missing := self._names.keys() - set(await admin.list_topics()):
            raise ConnectionError(f"topics are not applied yet: {', '.join(sorted(missing))}")
        described = await admin.describe_topics(list(self._names))
        return [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in described
            for partition in topic["partitions"]
        ]

    def _place(self, at: TopicPartition) -> str:
        return f"{self._names[at.topic]}|{at.partition}"


async def _run(admin: AIOKafkaAdminClient) -> str:
    return str((await admin.describe_cluster())["cluster_id"])


def _extent(start: int, committed: Any, end: int) -> Extent:
    known = committed is not None and committed.offset >= 0
    return Extent(start, max(start, committed.offset) if known else start, max(start, end))
