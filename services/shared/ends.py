"""What the broker says of topics, asked by somebody who is in no group."""

import asyncio
from collections.abc import Sequence
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.shared import kafka as clusters
from services.shared.kafka import Kafka
from services.shared.topics import partitions

FETCH_WAIT_MS = 50  # a fetch at the end of a log, by which ends are found, waits so long


class Ends:
    """The first and the end offsets of topics (without prefix), and the broker run; raises what aiokafka raises."""

    def __init__(self, kafka: Kafka, topics: Sequence[str], client_id: str) -> None:
        self._kafka, self._topics = kafka, topics
        self._places: list[TopicPartition] = []
        self._client = AIOKafkaConsumer(
            bootstrap_servers=kafka.bootstrap, client_id=client_id, fetch_max_wait_ms=FETCH_WAIT_MS
        )
        self._log = clusters.BrokerRun(self._client._client)

    async def __aenter__(self) -> Self:
        await self._client.start()
        self._places = [place for topic in self._topics for place in await partitions(self._kafka, topic)]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.stop()

    async def offsets(self) -> dict[tuple[str, int], int]:
        """The offset after the last message of each (name on the broker, partition)."""
        found = await true_ends(self._client, self._places)
        return {(place.topic, place.partition): end for place, end in found.items()}

    async def beginnings(self) -> dict[tuple[str, int], int]:
        """The offset of the first message that is still there, of each (name on the broker, partition)."""
        found = await clusters.answer(self._client.beginning_offsets(self._places))
        return {(place.topic, place.partition): begin for place, begin in found.items()}

    async def broker_run(self) -> str:
        """The broker run; asked again where a connection is another one than before."""
        return await self._log.now()


async def true_ends(consumer: AIOKafkaConsumer, places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
    """The offset after the last message of each partition, by the high watermark of a fetch.

    The embedded broker's answer to ListOffsets leaves out all but the first message of the last batch. The consumer,
    which must be in no group, is left assigned to `places` and paused; make it with `fetch_max_wait_ms=FETCH_WAIT_MS`.
    Raises what aiokafka raises, or TimeoutError.
    """
    if not places:
        return {}
    consumer.assign(list(places))
    listed = await clusters.answer(consumer.end_offsets(list(places)))
    for place in places:
        consumer.seek(place, listed[place])
    async with asyncio.timeout(clusters.ANSWER_SECONDS):
        while any(consumer.highwater(place) is None for place in places):
            await consumer.getmany(timeout_ms=20)
    consumer.pause(*places)
    return {place: consumer.highwater(place) for place in places}


async def ends_of_member(consumer: AIOKafkaConsumer) -> dict[TopicPartition, int]:
    """Where the partitions of a group's member end, as far as it can be known without disturbing its fetches.

    What its own last fetch was told stands beside ListOffsets: right once everything is read, on any broker.
    """
    places = consumer.assignment()
    listed: dict[TopicPartition, int] = await consumer.end_offsets(places) if places else {}
    ours = consumer.assignment()  # a rebalance may have come while the broker answered
    return {place: max(end, consumer.highwater(place) or 0) for place, end in listed.items() if place in ours}
