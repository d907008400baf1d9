"""What the keeper asks of the broker: its life, its ends, and how far the groups have come."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from schemas.topics import Topic
from services.gateway.admission import Gate
from services.gateway.metrics import UNSETTLED_BYTES
from services.gateway.retention import Offsets, Progress, readers
from services.gateway.spool import Entry
from services.shared.ends import FETCH_WAIT_MS, true_ends
from services.shared.kafka import Kafka
from services.shared.producer import Producer


class KafkaSender:
    """Sends entries through the process's producer; Kafka has `timeout_seconds` to acknowledge them."""

    def __init__(self, producer: Producer, timeout_seconds: float) -> None:
        self._producer, self._timeout_seconds = producer, timeout_seconds

    async def send_all(self, entries: Sequence[Entry]) -> Sequence[bool]:
        """Send in order and wait; whether each was acknowledged."""
        messages = [(entry.topic, entry.key, entry.value) for entry in entries]
        try:
            return await self._producer.attempt(messages, self._timeout_seconds)
        finally:
            UNSETTLED_BYTES.set(self._producer.late_bytes)

    def gate(self, most_bytes: int) -> Gate:
        """Closed while more than `most_bytes` are late: Kafka is slow or away, and they are still in memory."""

        def closed(_size_bytes: int) -> str | None:
            late = self._producer.late_bytes
            return f"Kafka is slow or away: {late} bytes are not acknowledged" if late > most_bytes else None

        return closed


class KafkaBroker:
    """A broker asked without joining a group; topics and groups carry the prefix.

    Where no services are named, every group of ours that has committed something counts as running. Raises
    `aiokafka.errors.KafkaError` or OSError while the broker is away.
    """

    def __init__(self, kafka: Kafka, topics: Sequence[Topic[Any]], services: Sequence[str]) -> None:
        self._kafka, self._topics, self._services = kafka, topics, services
        self._admin: AIOKafkaAdminClient | None = None
        self._reader: AIOKafkaConsumer | None = None

    async def run(self) -> str:
        """The cluster id: fresh for every life of a log that is kept in memory.

        Raises ConnectionError until every topic has been applied: sending earlier would create one as it should not be.
        """
        admin = await self._started_admin()
        missing = {self._kafka.full(topic.name) for topic in self._topics} - set(await admin.list_topics())
        if missing:
            raise ConnectionError(f"topics are not applied yet: {', '.join(sorted(missing))}")
        return str((await admin.describe_cluster())["cluster_id"])

    async def progress(self) -> Progress:
        """How far every topic reaches and every group has come."""
        run = await self.run()
        places = await self._places()
        ends = await true_ends(await self._started_reader(), places)
        named = self._services or await self._all_groups()
        committed = {group: await self._committed(group, places) for group in named}
        active = {group: offsets for group, offsets in committed.items() if offsets or self._services}
        return Progress(run, self._stripped(ends), active, readers(self._topics, list(active)))

    async def close(self) -> None:
        """Close the connections."""
        for client, close in ((self._admin, "close"), (self._reader, "stop")):
            if client is not None:
                await getattr(client, close)()
        self._admin = self._reader = None

    async def _places(self) -> list[TopicPartition]:
        # All topics are listed and ours picked out: a question about one that is missing would create it.
        ours = {self._kafka.full(topic.name) for topic in self._topics if topic.cleanup == "delete"}
        described = await (await self._started_admin()).describe_topics()
        return [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in described
            if topic["topic"] in ours
            for partition in topic["partitions"]
        ]

    async def _all_groups(self) -> list[str]:
        listed = await (await self._started_admin()).list_consumer_groups()
        ours = (str(group[0]) for group in listed if str(group[0]).startswith(self._kafka.prefix))
        return [self._kafka.short(group) for group in ours]

    async def _committed(self, group: str, places: Sequence[TopicPartition]) -> Offsets:
        # Without named partitions the embedded broker drops the connection.
        offsets = await (await self._started_admin()).list_consumer_group_offsets(
            self._kafka.full(group), partitions=list(places)
        )
        return self._stripped({place: kept.offset for place, kept in offsets.items() if kept.offset >= 0})

    def _stripped(self, offsets: Mapping[TopicPartition, int]) -> Offsets:
        return {(self._kafka.short(place.topic), place.partition): end for place, end in offsets.items()}

    async def _started_admin(self) -> AIOKafkaAdminClient:
        if self._admin is None:
            admin = self._kafka.admin()
            await admin.start()
            self._admin = admin
        return self._admin

    async def _started_reader(self) -> AIOKafkaConsumer:
        if self._reader is None:
            reader = AIOKafkaConsumer(bootstrap_servers=self._kafka.bootstrap, fetch_max_wait_ms=FETCH_WAIT_MS)
            await reader.start()
            self._reader = reader
        return self._reader
