"""From bytes to records, in the thread that handles them."""

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from aiokafka import ConsumerRecord

from schemas.messages import UNDECODABLE, Message
from schemas.topics import Topic
from services.shared import metrics
from services.shared.record import Record

M = TypeVar("M", bound=Message)


class Decoded(NamedTuple, Generic[M]):
    """What of a batch could be read, each record beside the raw message, and what could not."""

    records: list[Record[M]]
    raw: list[ConsumerRecord]
    failures: list[tuple[ConsumerRecord, Exception]]


class Decoder(Generic[M]):
    """Decodes the messages of one topic for one service; counts what is none."""

    def __init__(self, topic: Topic[M], service: str) -> None:
        self.topic = topic
        self._decode = msgspec.json.Decoder(topic.message).decode
        self._failures = metrics.DECODE_FAILURES.labels(service, topic.name)

    def batch(self, raw: Sequence[ConsumerRecord], broker_run: str) -> Decoded[M]:
        """Decode one partition's messages, in order."""
        decode, name = self._decode, self.topic.name
        records: list[Record[M]] = []
        good: list[ConsumerRecord] = []
        failures: list[tuple[ConsumerRecord, Exception]] = []
        for each in raw:
            try:
                message = decode(each.value)
            except (*UNDECODABLE, TypeError) as error:
                failures.append((each, error))
                continue
            good.append(each)
            records.append(Record(message, name, each.partition, each.offset, broker_run, each.timestamp, each.headers))
        if failures:
            self._failures.inc(len(failures))
        return Decoded(records, good, failures)


def by_name(topics: Sequence[Topic[Any]], service: str) -> dict[str, Decoder[Any]]:
    """A decoder for each topic, by its name without the prefix."""
    return {topic.name: Decoder(topic, service) for topic in topics}
