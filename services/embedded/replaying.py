"""Having a service read a topic again, under a consumer group of its own."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from schemas.topics import Topic, every_topic
from services.embedded.child import Child
from services.embedded.data_directory import DataDirectory
from services.embedded.lag import topics_of
from services.embedded.services import SERVICES, Service
from services.shared.ends import true_ends
from services.shared.settings import PREFIX, SharedSettings, variables

_LOOK_SECONDS = 0.5
_STOP_SECONDS = 20.0
Offsets = dict[TopicPartition, int]


@dataclass(frozen=True)
class Order:
    """Who reads what again: from a time, or from an offset of every partition."""

    topic: Topic[Any]
    service: Service
    name: str
    since: datetime | None
    offset: int | None


@dataclass(frozen=True)
class Done:
    """What came of it."""

    messages: int
    complete: bool
    group: str
    log: str
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """For printing."""
        return asdict(self)


def order(topic: str, start: str, service: str, name: str) -> Order:
    """The order in words; raises `ValueError` with the remedy where it makes no sense."""
    chosen = next((each for each in SERVICES if each.name == service), None)
    able = [each.name for each in SERVICES if each.replays]
    if chosen is None or not chosen.replays:
        raise ValueError(f"{service} does not replay: it would act, or keep state, twice; there are {', '.join(able)}")
    read = {each.name: each for each in topics_of(chosen)}
    if topic not in read:
        raise ValueError(f"{service} does not read {topic}; it reads {', '.join(read)}")
    since, offset = beginning(start)
    return Order(read[topic], chosen, name or datetime.now(UTC).strftime("%Y%m%dT%H%M%S"), since, offset)


def beginning(text: str) -> tuple[datetime | None, int | None]:
    """A time, or an offset; raises `ValueError`.

    >>> beginning("17"), beginning("2026-01-31T10:00:00Z")[0].year
    ((None, 17), 2026)
    """
    if text.isdigit():
        return None, int(text)
    try:
        since = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text} is neither an offset nor a time such as 2026-01-31T10:00:00Z") from None
    return since if since.tzinfo else since.replace(tzinfo=UTC), None


async def replay(wanted: Order, place: SharedSettings, tell: Callable[[str], None]) -> Done:
    """Place the group, start the service, and wait until the group is past what was there at the start.

    Raises aiokafka's `KafkaError` where the broker does not answer.
    """
    began = time.monotonic()
    group = f"{place.kafka_prefix}{wanted.service.name}.replay.{wanted.name}"
    starts, ends = await _place(wanted, place, group)
    messages = sum(max(0, ends[partition] - start) for partition, start in starts.items())
    log = Path(tempfile.gettempdir()) / f"tidemark-replay-{wanted.service.name}-{wanted.name}.log"
    if (directory := DataDirectory(place.data)).logs.exists():
        log = directory.log(f"replay-{wanted.service.name}")
    tell(f"{messages} messages of {wanted.topic.name} are read again by {wanted.service.name}, group {group}")
    complete = not messages or await _run(wanted, place, group, ends, log)
    return Done(messages, complete, group, str(log), round(time.monotonic() - began, 1))


async def _place(wanted: Order, place: SharedSettings, group: str) -> tuple[Offsets, Offsets]:
    """Commit where the group begins: the wanted topic from the start, every other topic from its end."""
    names = {topic.name: place.kafka_prefix + topic.name for topic in every_topic()}
    read = [
        TopicPartition(names[topic.name], number)
        for topic in topics_of(wanted.service)
        for number in range(topic.partitions)
    ]
    mine = [partition for partition in read if partition.topic == names[wanted.topic.name]]
    async with AIOKafkaConsumer(
        bootstrap_servers=place.kafka_bootstrap, group_id=group, enable_auto_commit=False
    ) as consumer:
        ends: Offsets = await true_ends(consumer, read)
        kept = {partition: await consumer.committed(partition) for partition in read}
        starts = await _starts(wanted, consumer, mine, ends)
        # A replay that is called by its old name goes on where it stopped.
        places = {partition: kept[partition] or starts.get(partition, ends[partition]) for partition in read}
        await consumer.commit(places)
    return {partition: places[partition] for partition in mine}, {partition: ends[partition] for partition in mine}


async def _starts(wanted: Order, consumer: AIOKafkaConsumer, mine: list[TopicPartition], ends: Offsets) -> Offsets:
    if wanted.offset is not None:
        return {partition: min(wanted.offset, ends[partition]) for partition in mine}
    since = int((wanted.since or datetime.now(UTC)).timestamp() * 1000)
    found = await consumer.offsets_for_times(dict.fromkeys(mine, since))
    return {partition: ends[partition] if at is None else at.offset for partition, at in found.items()}


async def _run(wanted: Order, place: SharedSettings, group: str, ends: Offsets, log: Path) -> bool:
    child = await Child.start((sys.executable, "-m", wanted.service.module), environment(wanted, place), log)
    admin = AIOKafkaAdminClient(bootstrap_servers=place.kafka_bootstrap)
    try:
        await admin.start()
        while child.running:
            kept = await admin.list_consumer_group_offsets(group, partitions=list(ends))
            if all(kept[partition].offset >= end for partition, end in ends.items()):
                return True
            await asyncio.sleep(_LOOK_SECONDS)
        return False
    finally:
        await admin.close()
        await child.stop(_STOP_SECONDS)


def environment(wanted: Order, place: SharedSettings, outside: Mapping[str, str] | None = None) -> dict[str, str]:
    """What the service finds: the shared settings, its own variables, the name of the replay, any free port."""
    outside = os.environ if outside is None else outside
    own = f"{PREFIX}{wanted.service.name.upper()}_"
    passed = {name: value for name, value in outside.items() if not name.startswith(PREFIX) or name.startswith(own)}
    values = {"secret": place.secret.get_secret_value()}
    shared = {name: str(values.get(field, getattr(place, field))) for field, name in variables(SharedSettings).items()}
    told = {f"{own}REPLAY": wanted.name, f"{own}HTTP_PORT": "0"}
    return {**passed, **{name: value for name, value in shared.items() if value}, **told}
