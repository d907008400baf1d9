"""How far every consumer group is behind, and how fast it goes."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import TopicPartition

from schemas.topics import TOPICS, Topic, stored_topics
from services.embedded.services import Service
from services.shared.ends import FETCH_WAIT_MS, true_ends
from services.shared.kafka import answer

Offsets = Mapping[TopicPartition, int]


@dataclass(frozen=True)
class Lag:
    """One group: messages not yet committed past, per topic and in all, and messages per second since the last look.

    `per_second` is None at the first look and in the first look at a new broker run.
    """

    messages: int
    topics: Mapping[str, int]
    per_second: float | None


def topics_of(service: Service) -> list[Topic[Any]]:
    """What the group of the service's own name reads; a compacted topic is read without one, but by the writer."""
    return _topics(service.name)


def _topics(group: str) -> list[Topic[Any]]:
    if group == "writer":
        return stored_topics()
    return [topic for topic in TOPICS if group in topic.consumers and topic.cleanup != "compact"]


def behind(ends: Offsets, begins: Offsets, committed: Offsets) -> dict[str, int]:
    """Messages not committed past, by topic; what the log no longer has does not count.

    >>> first, second = TopicPartition("a", 0), TopicPartition("a", 1)
    >>> behind({first: 5, second: 9}, {first: 0, second: 7}, {first: 4})
    {'a': 3}
    """
    lags: dict[str, int] = {}
    for partition, end in ends.items():
        next_message = max(committed.get(partition, 0), begins[partition])
        lags[partition.topic] = lags.get(partition.topic, 0) + max(0, end - next_message)
    return lags


class LagReader:
    """Looks at one broker; made anew for every broker run."""

    def __init__(self, bootstrap: str, prefix: str, services: Iterable[Service]) -> None:
        self._admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=3000)
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, enable_auto_commit=False, fetch_max_wait_ms=FETCH_WAIT_MS
        )
        self._prefix = prefix
        self._partitions = {
            service.name: {
                group: [
                    TopicPartition(prefix + topic.name, number)
                    for topic in _topics(group)
                    for number in range(topic.partitions)
                ]
                for group in service.groups
            }
            for service in services
            if service.group
        }
        self._seen: dict[str, tuple[float, int]] = {}

    async def start(self) -> None:
        """Connect; raises aiokafka's `KafkaConnectionError`."""
        await self._admin.start()
        await self._consumer.start()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._consumer.stop()
        await self._admin.close()

    async def read(self) -> dict[str, Lag]:
        """The lag of every group, by service; raises aiokafka's `KafkaError` where the broker does not answer."""
        wanted = sorted(
            {place for groups in self._partitions.values() for places in groups.values() for place in places}
        )
        begins: Offsets = await answer(self._consumer.beginning_offsets(wanted))
        ends: Offsets = await true_ends(self._consumer, wanted)
        return {name: await self._of(name, ends, begins) for name in self._partitions}

    async def _of(self, name: str, ends: Offsets, begins: Offsets) -> Lag:
        committed: dict[TopicPartition, int] = {}
        groups = self._partitions[name]
        for group, places in groups.items():
            # Named, since asking for all of a group's offsets makes this broker drop the connection.
            kept = await self._admin.list_consumer_group_offsets(self._prefix + group, partitions=places)
            committed |= {place: commit.offset for place, commit in kept.items() if commit.offset >= 0}
        topics = behind({place: ends[place] for places in groups.values() for place in places}, begins, committed)
        return Lag(sum(topics.values()), topics, self._rate(name, sum(committed.values())))

    def _rate(self, name: str, position: int) -> float | None:
        at = time.monotonic()
        before, self._seen[name] = self._seen.get(name), (at, position)
        if before is None or at <= before[0]:
            return None
        return (position - before[1]) / (at - before[0])
