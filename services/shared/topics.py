"""Makes the declared topics; `python -m services.shared.topics` applies all of them."""

import asyncio
import logging
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import NewPartitions, NewTopic
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError, for_code

from schemas.topics import TOPICS, Topic, dead_letters
from services.shared.errors import Unusable
from services.shared.kafka import LARGEST_MESSAGE_BYTES, Kafka
from services.shared.retry import pauses
from services.shared.settings import SERVICES, SharedSettings

log = logging.getLogger(__name__)

NO_ERROR, ALREADY_EXISTS = 0, 36
TOPICS_SECONDS = 30.0  # `tidemark up` applies them right after the broker starts
ANSWER_SECONDS = 10.0


@dataclass(frozen=True)
class Applied:
    """What was done: names on the broker."""

    created: tuple[str, ...]
    grown: tuple[str, ...]
    kept: tuple[str, ...]


async def apply(kafka: Kafka, topics: Iterable[Topic[Any]], *, replication_factor: int = 1) -> Applied:
    """Make the topics that are missing and add the partitions that are missing; repeats change nothing.

    What exists keeps its settings, and partitions are never taken away. Raises `Unusable` where the broker refuses,
    and aiokafka's `KafkaError` where it does not answer.
    """
    declared = {kafka.full(topic.name): topic for topic in topics}
    admin = kafka.admin()
    try:
        await admin.start()
        existing = set(await admin.list_topics())
        created = tuple(name for name in declared if name not in existing)
        await _create(admin, [_new(name, declared[name], replication_factor) for name in created])
        kept = tuple(name for name in declared if name in existing)
        grown = await _grow(admin, {name: declared[name].partitions for name in kept})
        return Applied(created, grown, tuple(name for name in kept if name not in grown))
    finally:
        await admin.close()


async def present(kafka: Kafka, topics: Sequence[str], service: str) -> None:
    """Wait until the topics (without prefix) exist: for a broker for ever, for a topic on it half a minute.

    Raises `Unusable`, with the remedy, for topics that nobody makes.
    """
    wanted = {kafka.full(topic) for topic in topics}
    found: set[str] = set()
    deadline: float | None = None
    async for _ in pauses(longest_seconds=1.0):
        try:
            found = await _listed(kafka)
        except (KafkaError, OSError, TimeoutError) as error:
            log.warning("Kafka at %s does not answer %s: %r; trying again", kafka.bootstrap, service, error)
            continue
        deadline = deadline or time.monotonic() + TOPICS_SECONDS
        if wanted <= found:
            return
        if time.monotonic() > deadline:
            raise Unusable(
                f"{service} reads topics that do not exist: {', '.join(sorted(wanted - found))}. "
                "Apply them: `tidemark up` does, and so does `python -m services.shared.topics`"
            )


async def partitions(kafka: Kafka, topic: str) -> list[TopicPartition]:
    """The partitions of a topic (without prefix) that exists, under its name on the broker.

    (A consumer without a subscription knows only by chance what aiokafka's `partitions_for_topic` is asked.)
    """
    admin, name = kafka.admin(), kafka.full(topic)
    try:
        await admin.start()
        described = await admin.describe_topics([name])
    finally:
        await admin.close()
    numbers = sorted(each["partition"] for found in described for each in found["partitions"])
    if not numbers:
        raise UnknownTopicOrPartitionError(name)
    return [TopicPartition(name, number) for number in numbers]


async def _listed(kafka: Kafka) -> set[str]:
    admin = kafka.admin()
    try:
        await asyncio.wait_for(admin.start(), ANSWER_SECONDS)
        return set(await asyncio.wait_for(admin.list_topics(), ANSWER_SECONDS))
    finally:
        await admin.close()


def every_topic() -> tuple[Topic[Any], ...]:
    """The declared topics, and the dead letters of every service that has a folder."""
    services = sorted(
        path.parent.name for path in SERVICES.glob("*/__main__.py") if path.parent != Path(__file__).parent
    )
    return (*TOPICS, *(dead_letters(service) for service in services))


def _new(name: str, topic: Topic[Any], replication_factor: int) -> NewTopic:
    configs = {"cleanup.policy": topic.cleanup, "max.message.bytes": str(LARGEST_MESSAGE_BYTES)}
    if topic.cleanup == "delete":
        configs["retention.ms"] = str(topic.retention_seconds * 1000)
    return NewTopic(name, topic.partitions, replication_factor, topic_configs=configs)


async def _create(admin: Any, topics: list[NewTopic]) -> None:
    if not topics:
        return
    response = await admin.create_topics(topics)
    for name, code, *message in response.topic_errors:
        if code not in (NO_ERROR, ALREADY_EXISTS):
            raise Unusable(f"the broker does not make the topic {name}: {for_code(code).__name__} {message}")


async def _grow(admin: Any, wanted: dict[str, int]) -> tuple[str, ...]:
    if not wanted:
        return ()
    described = await admin.describe_topics(list(wanted))
    few = {each["topic"] for each in described if len(each["partitions"]) < wanted[each["topic"]]}
    if few:
        await admin.create_partitions({name: NewPartitions(wanted[name]) for name in few})
    return tuple(sorted(few))


def main() -> int:
    """Apply every topic to the cluster that the environment names; the exit code."""
    config = SharedSettings()
    try:
        applied = asyncio.run(apply(Kafka.of(config), every_topic()))
    except (KafkaError, Unusable) as error:
        sys.stderr.write(f"topics: {config.kafka_bootstrap}: {error!r}\n")
        return Unusable.exit_code
    sys.stdout.write(f"created {len(applied.created)}, grown {len(applied.grown)}, kept {len(applied.kept)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
