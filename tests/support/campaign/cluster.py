"""Who leads in a cluster of Apache Kafka, whether its copies are complete, and who is in a group."""

import asyncio

from schemas.topics import CALLS, every_topic
from services.shared.kafka import Kafka


def leader(apache):
    """The number of the node that leads the first partition of the calls."""
    (topic,) = _described(apache, [CALLS.name])
    return next(each["leader"] for each in topic["partitions"] if each["partition"] == 0)


def members(bootstrap, group):
    """The members of a consumer group that has its partitions; none while they are being given out."""

    async def ask(admin):
        (answer,) = await admin.describe_consumer_groups([group])
        ((_, _, state, _, _, found, *_),) = answer.groups
        return [member[0] for member in found] if state == "Stable" else []

    return _asked(bootstrap, ask)


def complete(apache):
    """Whether every node has every message of ours that it is to have a copy of."""
    described = _described(apache, [topic.name for topic in every_topic()])
    return all(set(each["isr"]) == set(each["replicas"]) for topic in described for each in topic["partitions"])


def _described(apache, topics):
    return _asked(apache.bootstrap, lambda admin: admin.describe_topics(topics))


def _asked(bootstrap, ask):
    async def asked():
        admin = Kafka(bootstrap).admin()
        try:
            await admin.start()
            return await ask(admin)
        finally:
            await admin.close()

    return asyncio.run(asked())
