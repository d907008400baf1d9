"""Who leads in a cluster of Apache Kafka, and whether its copies are complete."""

import asyncio

from schemas.topics import CALLS, every_topic
from services.shared.kafka import Kafka


def leader(apache):
    """The number of the node that leads the first partition of the calls."""
    (topic,) = _described(apache, [CALLS.name])
    return next(each["leader"] for each in topic["partitions"] if each["partition"] == 0)


def complete(apache):
    """Whether every node has every message of ours that it is to have a copy of."""
    described = _described(apache, [topic.name for topic in every_topic()])
    return all(set(each["isr"]) == set(each["replicas"]) for topic in described for each in topic["partitions"])


def _described(apache, topics):
    async def ask():
        admin = Kafka(apache.bootstrap).admin()
        try:
            await admin.start()
            return await admin.describe_topics(topics)
        finally:
            await admin.close()

    return asyncio.run(ask())
