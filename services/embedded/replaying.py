"""Having a service read a topic again, under a consumer group of its own."""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from services.embedded.child import Child
from services.embedded.data_directory import DataDirectory
from services.embedded.replay_order import Order, Place
from services.shared.breaker import Marker
from services.shared.ends import true_ends
from services.shared.kafka import Kafka, broker_run
from services.shared.settings import PREFIX, SharedSettings, variables
from services.shared.topics import partitions

_LOOK_SECONDS = 0.25
_STOP_SECONDS = 20.0
_Offsets = dict[TopicPartition, int]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Done:
    """What came of it; `stopped` is why it was stopped before the end, if it was."""

    messages: int
    complete: bool
    group: str
    name: str
    log: str
    seconds: float
    stopped: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For printing."""
        return asdict(self)


class _Span(NamedTuple):
    """Where the group begins and ends in each partition."""

    starts: _Offsets
    ends: _Offsets

    @property
    def messages(self) -> int:
        return self.read(self.ends)

    def read(self, at: Mapping[TopicPartition, int]) -> int:
        """Messages between the start and a group that has come so far."""
        return sum(max(0, min(at[place], end) - self.starts[place]) for place, end in self.ends.items())


async def replay(wanted: Order, settings: SharedSettings, progress: Progress) -> Done:
    """Place the group, start the service, and wait until the group has reached the end.

    `progress` is told how many messages of how many have been read, several times a second. The end is what is there
    at the start, unless the order names an earlier one; nothing is read beyond it. Raises aiokafka's `KafkaError`
    where the broker does not answer at the beginning; later it is asked again for as long as the service runs.
    """
    began = time.monotonic()
    run = _Run(wanted, settings)
    span = await run.place()
    progress(0, span.messages)
    complete, stopped = await run.until_read(span, progress) if span.messages else (True, "")
    seconds = round(time.monotonic() - began, 1)
    return Done(span.messages, complete, run.group, wanted.name, str(run.log), seconds, stopped)


class _Run:
    def __init__(self, wanted: Order, settings: SharedSettings) -> None:
        self._wanted, self._settings = wanted, settings
        name = f"{wanted.service.name}.replay.{wanted.name}"
        self.group = f"{settings.kafka_prefix}{name}"
        self.log = _log(wanted, settings.data)
        self._marker = Marker(settings.data, name)
        self._first_run, self._another_log = "", False

    async def place(self) -> _Span:
        """Commit where the group begins; one that is called by its old name goes on where it stopped."""
        places = await partitions(Kafka.of(self._settings), self._wanted.topic.name)
        async with AIOKafkaConsumer(
            bootstrap_servers=self._settings.kafka_bootstrap, group_id=self.group, enable_auto_commit=False
        ) as consumer:
            there: _Offsets = await true_ends(consumer, places)
            begins = await consumer.beginning_offsets(places)
            ends = await _offsets(consumer, self._wanted.end, there, begins)
            starts = await _offsets(consumer, self._wanted.start, there, begins)
            for place in places:
                kept = await consumer.committed(place)
                starts[place] = min(starts[place] if kept is None else kept, ends[place])
            await consumer.commit(starts)
        return _Span(starts, ends)

    async def until_read(self, span: _Span, progress: Progress) -> tuple[bool, str]:
        """Run the service until the group is at the end, or it ends or stops itself; whether all was read, why not."""
        told = environment(self._wanted, self._settings, [span.ends[place] for place in sorted(span.ends)])
        child = await Child.start((sys.executable, "-m", self._wanted.service.module), told, self.log)
        try:
            while child.running and not self._stopped():
                # What is away is asked again: the service waits for it, too.
                with suppress(KafkaError, OSError, TimeoutError):
                    if await self._at_end(child, span, progress):
                        return True, ""
                await asyncio.sleep(_LOOK_SECONDS)
            return False, self._stopped()
        finally:
            await child.stop(_STOP_SECONDS)
            self._marker.clear()  # whoever asked for the replay is told, and there is nobody to resume

    def _stopped(self) -> str:
        """Why there is nothing to wait for; empty while there is."""
        return "the broker has begun another log" if self._another_log else self._marker.reason() or ""

    async def _at_end(self, child: Child, span: _Span, progress: Progress) -> bool:
        """Look at the group until it is at the end, or the service has ended or stopped itself."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self._settings.kafka_bootstrap)
        try:
            await admin.start()
            run = await broker_run(admin._client)
            self._first_run = self._first_run or run
            self._another_log = run != self._first_run
            while child.running and not self._stopped():
                kept = await admin.list_consumer_group_offsets(self.group, partitions=list(span.ends))
                at = {place: kept[place].offset for place in span.ends}
                progress(span.read(at), span.messages)
                if all(at[place] >= end for place, end in span.ends.items()):
                    return True
                await asyncio.sleep(_LOOK_SECONDS)
            return False
        finally:
            await admin.close()


def _log(wanted: Order, data: Path) -> Path:
    if (directory := DataDirectory(data)).logs.exists():
        return directory.log(f"replay-{wanted.service.name}")
    return Path(tempfile.gettempdir()) / f"tidemark-replay-{wanted.service.name}-{wanted.name}.log"


async def _offsets(consumer: AIOKafkaConsumer, place: Place, ends: _Offsets, begins: _Offsets) -> _Offsets:
    """The offset of a place in each partition, between its first message and its end."""
    found: dict[TopicPartition, int | None] = dict.fromkeys(ends, place.offset)
    if place.time is not None:
        answer = await consumer.offsets_for_times(dict.fromkeys(ends, int(place.time.timestamp() * 1000)))
        # Later than every message: Kafka says nothing, the embedded broker offset 0 without a time.
        found = {at: each.offset if each is not None and each.timestamp >= 0 else None for at, each in answer.items()}
    return {at: end if (to := found[at]) is None else min(max(to, begins[at]), end) for at, end in ends.items()}


def environment(
    wanted: Order, settings: SharedSettings, ends: Sequence[int], outside: Mapping[str, str] | None = None
) -> dict[str, str]:
    """What the service finds: the shared settings, its own variables, the replay's name and ends, any free port."""
    outside = os.environ if outside is None else outside
    own = f"{PREFIX}{wanted.service.name.upper()}_"
    passed = {name: value for name, value in outside.items() if not name.startswith(PREFIX) or name.startswith(own)}
    values = {"secret": settings.secret.get_secret_value()}
    shared = {
        name: str(values.get(field, getattr(settings, field))) for field, name in variables(SharedSettings).items()
    }
    told = {
        f"{own}REPLAY": wanted.name,
        f"{own}REPLAY_ENDS": json.dumps({wanted.topic.name: list(ends)}),
        f"{own}HTTP_PORT": "0",
    }
    return {**passed, **{name: value for name, value in shared.items() if value}, **wanted.settings, **told}
