"""Dead letters: read where they lie, and sent again to where they came from."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.messages import DeadLetter
from schemas.messages.message import UNDECODABLE
from services.shared.ends import FETCH_WAIT_MS, true_ends
from services.shared.kafka import LARGEST_MESSAGE_BYTES, Kafka
from services.shared.producer import Outgoing, Producer
from services.shared.record import REDRIVE_HEADER
from services.shared.topics import every_partition

PREFIX, SUFFIX = "dlq.", ".v1"
MOST_REDRIVES = 3
_ANSWER_SECONDS = 15.0


@dataclass(frozen=True)
class Filter:
    """Which letters; an empty field lets everything pass. `reason` is looked for in error and reason."""

    service: str = ""
    topic: str = ""
    reason: str = ""
    ids: tuple[str, ...] = ()

    def passes(self, letter: DeadLetter) -> bool:
        """Whether the letter is meant; an id may be given by its beginning."""
        return (
            self.service in ("", letter.service)
            and self.topic in ("", letter.topic)
            and self.reason.lower() in f"{letter.error}: {letter.reason}".lower()
            and (not self.ids or str(letter.dead_letter_id).startswith(self.ids))
        )


class Found(NamedTuple):
    """The letters, and how many messages beside them are none."""

    letters: list[DeadLetter]
    foreign: int


def newest(letters: Iterable[DeadLetter]) -> list[DeadLetter]:
    """Each letter once, as it was when it had been sent again most often; the oldest failure first."""
    kept: dict[object, DeadLetter] = {}
    for letter in letters:
        before = kept.get(letter.dead_letter_id)
        if before is None or before.redrives <= letter.redrives:
            kept[letter.dead_letter_id] = letter
    return sorted(kept.values(), key=lambda letter: letter.failed_at)


async def on_topics(kafka: Kafka, wanted: Filter, *, with_bytes: bool = True) -> Found:
    """What passes of all dead-letter topics of the broker, read to their ends without a group.

    Raises aiokafka's `KafkaError`, or `TimeoutError` where the broker says nothing for a while.
    """
    kept, foreign = [], 0
    async with asyncio.timeout(_ANSWER_SECONDS) as silence:
        places = [place for place in await every_partition(kafka) if _holds_letters(kafka.short(place.topic))]
        async with AIOKafkaConsumer(
            bootstrap_servers=kafka.bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=FETCH_WAIT_MS,
            max_partition_fetch_bytes=LARGEST_MESSAGE_BYTES,
        ) as consumer:
            async for value in _values(consumer, places, silence):
                letter = _letter(value)
                if letter is None:
                    foreign += 1
                elif wanted.passes(letter):
                    kept.append(letter if with_bytes else _without_bytes(letter))
    return Found(newest(kept), foreign)


class Sorted(NamedTuple):
    """Messages that may be sent again, each with its letters, and the letters of those that may not."""

    willing: list[list[DeadLetter]]
    refused: list[DeadLetter]


def by_message(letters: Iterable[DeadLetter], most: int = MOST_REDRIVES) -> Sorted:
    """What failed in two services, or failed again after it was sent again, is one message with several letters.

    Refused is one that was sent again so often that once more would not help, or whose bytes are not kept.
    """
    messages: dict[object, list[DeadLetter]] = {}
    for letter in letters:
        marks = frozenset(mark for mark in letter.headers.items() if mark[0] != REDRIVE_HEADER)
        messages.setdefault((letter.topic, letter.message_key or b"", letter.message_value, marks), []).append(letter)
    found = Sorted([], [])
    for same in messages.values():
        if same[0].message_value is None or _oftenest(same).redrives >= most:
            found.refused.extend(same)
        else:
            found.willing.append(same)
    return found


def sent_again(letter: DeadLetter) -> Outgoing:
    """The original bytes, for the topic and under the key that they had, marked with how often they were sent again."""
    kept = [(name, value.encode()) for name, value in letter.headers.items() if name != REDRIVE_HEADER]
    mark = (REDRIVE_HEADER, str(letter.redrives + 1).encode())
    return Outgoing(letter.topic, letter.message_key or b"", letter.message_value or b"", (*kept, mark))


def marked(letter: DeadLetter, redrives: int) -> Outgoing:
    """The letter itself, saying how often its message was sent again: it replaces the one of the same id."""
    again = msgspec.structs.replace(letter, redrives=redrives)
    return Outgoing(f"{PREFIX}{letter.service}{SUFFIX}", letter.key.encode(), again.encode())


async def redrive(kafka: Kafka, messages: Sequence[Sequence[DeadLetter]]) -> None:
    """Send each message once, then mark all its letters.

    After a crash in between a message is sent once more: its id makes that harmless. Raises `TimeoutError` where the
    broker does not take them.
    """
    oftenest = [_oftenest(letters) for letters in messages]
    marks = [
        marked(letter, last.redrives + 1)
        for letters, last in zip(messages, oftenest, strict=True)
        for letter in letters
    ]
    async with asyncio.timeout(_ANSWER_SECONDS + len(marks) / 1000), Producer(kafka) as producer:
        await producer.publish([sent_again(letter) for letter in oftenest])
        await producer.publish(marks)


def _oftenest(letters: Iterable[DeadLetter]) -> DeadLetter:
    return max(letters, key=lambda letter: letter.redrives)


def _holds_letters(topic: str) -> bool:
    return topic.startswith(PREFIX) and topic.endswith(SUFFIX)


def _letter(value: bytes | None) -> DeadLetter | None:
    try:
        return DeadLetter.decode(value or b"")
    except UNDECODABLE:
        return None


def _without_bytes(letter: DeadLetter) -> DeadLetter:
    return msgspec.structs.replace(letter, message_key=None, message_value=None)


async def _values(
    consumer: AIOKafkaConsumer, places: Sequence[TopicPartition], silence: asyncio.Timeout
) -> AsyncIterator[bytes | None]:
    if not places:
        return
    ends = await true_ends(consumer, places)
    consumer.resume(*places)
    await consumer.seek_to_beginning(*places)
    left = {place for place, end in ends.items() if end > 0}
    while left:
        found = await consumer.getmany(timeout_ms=500)
        for records in found.values():
            for record in records:
                yield record.value
        if found:
            silence.reschedule(asyncio.get_running_loop().time() + _ANSWER_SECONDS)
        for place in list(left):
            if await consumer.position(place) >= ends[place]:
                left.discard(place)
