"""What the broker says of topics, asked by somebody who is in no group."""

import asyncio
from collections.abc import Sequence
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.shared import kafka as clusters
from services.shared.kafka import Kafka

ANSWER_SECONDS = 10.0


class Ends:
    """The end offsets of topics (without prefix), and the broker run; raises what aiokafka raises."""

    def __init__(self, kafka: Kafka, topics: Sequence[str], client_id: str) -> None:
        self._names = [kafka.full(topic) for topic in topics]
        self._client = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, client_id=client_id)
        self._verified: tuple[object, ...] = ()
        self._run = ""

    async def __aenter__(self) -> Self:
        await self._client.start()
        await self._client.topics()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.stop()

    async def offsets(self) -> dict[tuple[str, int], int]:
        """The offset after the last message of each (name on the broker, partition)."""
        places = [
            TopicPartition(name, number)
            for name in self._names
            for number in self._client.partitions_for_topic(name) or ()
        ]
        found: dict[Any, int] = await asyncio.wait_for(self._client.end_offsets(places), ANSWER_SECONDS)
        return {(place.topic, place.partition): end for place, end in found.items()}

    async def broker_run(self) -> str:
        """The broker run; asked again where a connection is another one than before."""
        found = clusters.connections(self._client._client)
        if [id(each) for each in found] != [id(each) for each in self._verified]:
            self._run = await asyncio.wait_for(clusters.broker_run(self._client._client), ANSWER_SECONDS)
            self._verified = found
        return self._run
