"""The declared topics on the broker: planned, applied, and waited for."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError, for_code

from schemas.topics import Topic
from services.shared import topic_plan, topic_settings
from services.shared.errors import Unusable
from services.shared.kafka import Kafka, answer
from services.shared.one_log import APPLIED, stay
from services.shared.retry import pauses
from services.shared.topic_plan import Broker, Found, Plan, Step, Wish

log = logging.getLogger(__name__)

NO_ERROR, ALREADY_EXISTS = 0, 36
TOPICS_SECONDS = 30.0  # `tidemark up` applies them right after the broker starts
ANSWER_SECONDS = 10.0
SHOWN_SECONDS = 0.05
OTHERS_SECONDS = 1.0  # in which another, who is making the topics that are found, is done


async def look(
    kafka: Kafka, topics: Iterable[Topic[Any]], *, replication_factor: int | None = None, shorter: bool = False
) -> Plan:
    """What `apply` would do; changes nothing. Raises as it does."""
    admin = kafka.admin()
    try:
        await answer(admin.start())
        return await _plan(kafka, admin, topics, (replication_factor, shorter))
    finally:
        await admin.close()


async def apply(
    kafka: Kafka, topics: Iterable[Topic[Any]], *, replication_factor: int | None = None, shorter: bool = False
) -> Plan:
    """Bring the broker's topics to what is declared, as far as nothing is refused; the plan that was carried out.

    Repeats change nothing. Missing topics are made with `replication_factor` copies, by default three where there are
    three brokers and else one; nothing is ever deleted. `topic_plan.plan` says what is refused; `shorter` allows to
    delete messages earlier than before. Raises `Unusable` where the broker refuses, and aiokafka's `KafkaError` or
    TimeoutError where it does not answer. What was done is seen by everybody when it returns.
    """
    admin, declared, wished = kafka.admin(), list(topics), (replication_factor, shorter)
    try:
        await answer(admin.start())
        if embedded := await topic_settings.is_embedded(admin._client):
            stay(admin._client)
        planned = await _plan(kafka, admin, declared, wished)
        missing = [step for step in planned.steps if step.create]
        await _create(admin, missing)
        await _grow(admin, [step for step in planned.steps if step.grow])
        await _alter(admin, [step for step in planned.steps if step.changes])
        if planned.pending:
            await _shown(lambda: _plan(kafka, admin, declared, wished))
        if embedded and kafka.full(APPLIED) not in await admin.list_topics():
            await asyncio.sleep(0 if missing else OTHERS_SECONDS)
            await _make(admin, [NewTopic(kafka.full(APPLIED), 1, 1)])
        return planned
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
                "Apply them: `tidemark up` does, and so does `tidemark topics apply`"
            )


async def partitions(kafka: Kafka, topic: str) -> list[TopicPartition]:
    """The partitions of a topic (without prefix) that exists, under its name on the broker.

    (A consumer without a subscription knows only by chance what aiokafka's `partitions_for_topic` is asked.)
    """
    name = kafka.full(topic)
    if not (found := await _described(kafka, [name])):
        raise UnknownTopicOrPartitionError(name)
    return found


async def every_partition(kafka: Kafka) -> list[TopicPartition]:
    """The partitions of every topic under the prefix, under their names on the broker."""
    return [place for place in await _described(kafka) if place.topic.startswith(kafka.prefix)]


async def _described(kafka: Kafka, names: list[str] | None = None) -> list[TopicPartition]:
    admin = kafka.admin()
    try:
        await admin.start()
        described = await admin.describe_topics(names)
    finally:
        await admin.close()
    return sorted(
        TopicPartition(topic["topic"], each["partition"]) for topic in described for each in topic["partitions"]
    )


async def _listed(kafka: Kafka) -> set[str]:
    admin = kafka.admin()
    try:
        await asyncio.wait_for(admin.start(), ANSWER_SECONDS)
        return set(await asyncio.wait_for(admin.list_topics(), ANSWER_SECONDS))
    finally:
        await admin.close()


async def _plan(
    kafka: Kafka, admin: AIOKafkaAdminClient, topics: Iterable[Topic[Any]], wished: tuple[int | None, bool]
) -> Plan:
    declared = {kafka.full(topic.name): topic for topic in topics}
    copies, shorter = wished
    broker = await _broker(kafka, admin, declared)
    if (copies or 1) > broker.brokers:
        raise Unusable(f"{copies} copies need {copies} brokers, and there are {broker.brokers}: lower the number")
    return topic_plan.plan(declared, broker, Wish.on(broker.brokers, copies, shorter=shorter))


async def _shown(plan: Callable[[], Awaitable[Plan]]) -> None:
    """Wait until the broker shows what it has taken: its answer comes before its own view has changed."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while (left := await plan()).pending:
        if time.monotonic() > deadline:
            late = ", ".join(step.topic for step in left.steps if step.pending)
            raise Unusable(f"the broker has taken changes that it does not show: {late}; look at its log")
        await asyncio.sleep(SHOWN_SECONDS)


async def _broker(kafka: Kafka, admin: AIOKafkaAdminClient, declared: Mapping[str, Topic[Any]]) -> Broker:
    able = await topic_settings.understood(admin._client)
    brokers = len((await admin.describe_cluster())["brokers"])
    described = {
        each["topic"]: each["partitions"]
        for each in await admin.describe_topics()
        if not each["is_internal"] and each["topic"].startswith(kafka.prefix) and each["topic"] != kafka.full(APPLIED)
    }
    tells, grows = topic_settings.DESCRIBE in able, topic_settings.CREATE_PARTITIONS in able
    settings = await topic_settings.told(admin, [name for name in described if name in declared]) if tells else {}
    larger = [name for name, topic in declared.items() if 0 < len(described.get(name, ())) < topic.partitions]
    empty = await _empty(kafka, {name: len(described[name]) for name in larger})
    found = {
        name: Found(
            len(partitions), min(len(each["replicas"]) for each in partitions), settings.get(name), name in empty
        )
        for name, partitions in described.items()
    }
    return Broker(found, brokers, tells=tells, alters=topic_settings.ALTER in able, grows=grows)


async def _empty(kafka: Kafka, topics: Mapping[str, int]) -> set[str]:
    """Those of the topics (their numbers of partitions) in which no message lies."""
    if not topics:
        return set()
    places = [TopicPartition(name, number) for name, count in topics.items() for number in range(count)]
    async with AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, enable_auto_commit=False) as consumer:
        begins = await answer(consumer.beginning_offsets(places))
        ends = await answer(consumer.end_offsets(places))
    return set(topics) - {place.topic for place in places if ends[place] > begins[place]}


async def _create(admin: AIOKafkaAdminClient, steps: Sequence[Step]) -> None:
    await _make(
        admin,
        [NewTopic(step.topic, step.partitions, step.copies, topic_configs=dict(step.settings)) for step in steps],
    )


async def _make(admin: AIOKafkaAdminClient, made: Sequence[NewTopic]) -> None:
    if not made:
        return
    for name, code, *message in (await admin.create_topics(list(made))).topic_errors:
        if code not in (NO_ERROR, ALREADY_EXISTS):
            raise Unusable(f"the broker does not make the topic {name}: {for_code(code).__name__} {message}")


async def _grow(admin: AIOKafkaAdminClient, steps: Sequence[Step]) -> None:
    if steps:
        await admin.create_partitions({step.topic: NewPartitions(step.partitions) for step in steps})


async def _alter(admin: AIOKafkaAdminClient, steps: Sequence[Step]) -> None:
    if steps:
        changed = {step.topic: {change.setting: change.declared for change in step.changes} for step in steps}
        await topic_settings.alter(admin, changed)
