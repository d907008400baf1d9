"""Producers of the embedded broker, whose every process is another log.

A topic is shown there before its log begins: what is written meanwhile is acknowledged, and lies in the way of what
comes after it, so that neither is read whole. A client that knows the topic from the log before would write even
earlier. So a producer is bound to one process of the broker, and to one that has every topic.
"""

from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.client import AIOKafkaClient, ConnectionGroup

from services.shared.kafka import Kafka, answer

APPLIED = "topics-applied"  # the topic that is made when all others are complete


def stay(client: AIOKafkaClient) -> None:
    """Keep a client to the connections that it has: what it asks when they are lost fails."""

    async def connected(node: Any, *, group: Any = ConnectionGroup.DEFAULT, **_: Any) -> Any:
        found = client._conns.get((node, group))
        return found if found is not None and found.connected() else None

    client._get_conn = connected


def bind(producer: AIOKafkaProducer) -> None:
    """Keep a started producer to the connections that it has: what it sends when they are lost fails, at once."""
    stay(producer.client)
    producer._message_accumulator._batch_ttl = 0  # seconds for which aiokafka tries a batch again


async def has_topics(producer: AIOKafkaProducer, kafka: Kafka) -> bool:
    """Whether every topic is complete; raises `KafkaError`, OSError or TimeoutError where nobody answers."""
    metadata = await answer(producer.client.fetch_all_metadata())
    return kafka.full(APPLIED) in metadata.topics()
