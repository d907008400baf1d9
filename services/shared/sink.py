"""Every message of many topics into a store, exactly as it came."""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec
from aiokafka import ConsumerRecord

from schemas.messages import DeadLetter, Message
from schemas.topics import Topic
from services.shared import metrics
from services.shared.breaker import Breaker, Tripped
from services.shared.consumer import Consumer, Fetched
from services.shared.dead_letters import DeadLetters
from services.shared.decoding import Decoder, by_name
from services.shared.errors import Transient
from services.shared.lifecycle import keep
from services.shared.pipeline import WAIT_SECONDS, next_offsets
from services.shared.process import Process
from services.shared.producer import Producer
from services.shared.record import Record
from services.shared.watchdog import Progress
from services.shared.worker import Stopping, Worker

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Message)


class Batch(msgspec.Struct, Generic[M], frozen=True, kw_only=True):
    """A run of offsets of one partition, without a gap: what could be read, and the letters for what could not.

    `first_offset` to `last_offset` (inclusive) covers the log: also offsets that hold no message, and messages that
    are in `dead_letters`. Those are in the dead-letter topic before `write` is called. What retention deleted before
    it was read is covered by none.
    """

    topic: Topic[M]
    partition: int
    broker_run: str
    first_offset: int
    last_offset: int
    records: Sequence[Record[M]]
    dead_letters: Sequence[DeadLetter] = ()


Write = Callable[[Topic[Any], Sequence[Batch[Any]]], None]


class Sink:
    """One consumer group that reads many topics and writes them to a store.

    `write(topic, batches)` is given all that was fetched of one topic, one batch a partition, and returns when it is
    durable. Offsets are committed after that. Repeats: after a crash the last batches are written again, cut
    differently. Failure: `Transient` is tried again for ever; any other error of `write` bisects the batches until the
    message that causes it stands alone, which goes to `dlq.<name>` (stage handle), and its offset is written as an
    empty batch with that letter. A message that does not decode goes there too (stage decode), without limit: no
    other service does that. Blocking: `write` runs in one worker thread while the next batch is fetched.

    Settings: `batch_records` and `linger_seconds` decide how large the batches are.
    """

    def __init__(self, name: str, *, reads: Sequence[Topic[Any]], write: Write) -> None:
        self.name, self.reads, self.write = name, tuple(reads), write

    async def run(self, process: Process) -> None:
        """Consume until the process is to stop."""
        progress = process.watched(self.name)
        with Worker(self.name, process, progress) as worker:
            await keep(self.name, process, progress, lambda: _Membership(self, process, worker).consume(progress))


class _Cut(msgspec.Struct, Generic[M]):
    """A batch and the raw message of each of its records, for the letters."""

    batch: Batch[M]
    raw: list[ConsumerRecord]


class _Membership:
    def __init__(self, sink: Sink, process: Process, worker: Worker) -> None:
        self._sink, self._process, self._worker = sink, process, worker
        self._decoders: dict[str, Decoder[Any]] = by_name(sink.reads, sink.name)
        self._breaker = Breaker()
        self._epoch = -1
        self._next: dict[Any, int] = {}

    async def consume(self, progress: Progress) -> None:
        config, name, topics = self._process.config, self._sink.name, list(self._decoders)
        async with (
            Producer(self._process.kafka, progress.waited) as producer,
            Consumer(self._process, topics, service=name, progress=progress) as consumer,
        ):
            letters = DeadLetters(name, consumer.broker_run)
            while not self._process.stopping.is_set():
                fetched = await consumer.fetch(config.batch_records, WAIT_SECONDS, config.linger_seconds)
                self._process.health.ready(name)
                async with consumer.working:
                    if fetched.epoch == consumer.epoch:
                        await self._batch(fetched, consumer, producer, letters)

    async def _batch(self, fetched: Fetched, consumer: Consumer, producer: Producer, letters: DeadLetters) -> None:
        if fetched.epoch != self._epoch:
            self._epoch, self._next = fetched.epoch, {}
        if not fetched.records:
            await consumer.commit({}, fetched.epoch)
            return
        metrics.BATCH_MESSAGES.labels(self._sink.name).observe(fetched.messages)
        await self._leave_out_deleted(fetched, consumer)
        cuts = await self._worker.once(lambda: self._decode(fetched, consumer, letters))
        await letters.publish(producer, [letter for cut in cuts for letter in cut.batch.dead_letters], "decode")
        by_topic: dict[str, list[_Cut[Any]]] = defaultdict(list)
        for cut in cuts:
            by_topic[cut.batch.topic.name].append(cut)
        for same in by_topic.values():
            await self._write(same, producer, letters)
        self._next.update(next_offsets(fetched))
        await consumer.commit(next_offsets(fetched), fetched.epoch)

    async def _leave_out_deleted(self, fetched: Fetched, consumer: Consumer) -> None:
        """Begin a range where the log does: what is missing below was deleted unread, what is missing above is none."""
        for partition, raw in fetched.records.items():
            expected, first = self._next.get(partition), raw[0].offset
            if expected is None or first <= expected:
                continue
            begin = min(first, await consumer.log_start(partition))
            if begin > expected:
                name, topic = self._sink.name, consumer.short(partition)
                metrics.DELETED_UNREAD.labels(name, topic).inc(begin - expected)
                log.error(
                    "Retention has deleted offsets %d to %d of %s, partition %d, before %s read them",
                    expected,
                    begin - 1,
                    topic,
                    partition.partition,
                    name,
                )
                self._next[partition] = begin

    def _decode(self, fetched: Fetched, consumer: Consumer, letters: DeadLetters) -> list[_Cut[Any]]:
        now = self._process.clock()
        cuts = []
        for partition, raw in fetched.records.items():
            name, run = consumer.short(partition), consumer.broker_run
            decoded = self._decoders[name].batch(raw, run)
            batch: Batch[Any] = Batch(
                topic=self._decoders[name].topic,
                partition=partition.partition,
                broker_run=run,
                first_offset=self._next.get(partition, raw[0].offset),
                last_offset=raw[-1].offset,
                records=decoded.records,
                dead_letters=[letters.letter(each, name, "decode", error, now=now) for each, error in decoded.failures],
            )
            cuts.append(_Cut(batch, decoded.raw))
        return cuts

    async def _write(self, cuts: Sequence[_Cut[Any]], producer: Producer, letters: DeadLetters) -> None:
        """Write all at once; where that fails for good, halves, down to the message that fails alone."""
        topic = cuts[0].batch.topic
        try:
            await self._worker.insist(lambda: self._sink.write(topic, [cut.batch for cut in cuts]))
        except (Transient, Tripped, Stopping):
            raise
        except Exception as error:
            if len(cuts) > 1 or len(cuts[0].batch.records) > 1:
                for half in _halves(cuts):
                    await self._write(half, producer, letters)
                return
            if not cuts[0].batch.records:
                raise  # nothing is left to blame but the store itself
            await self._give_up(cuts[0], error, producer, letters)
        else:
            self._breaker.succeeded(sum(len(cut.batch.records) for cut in cuts))
            self._worker.progress.advance()

    async def _give_up(self, cut: _Cut[Any], error: Exception, producer: Producer, letters: DeadLetters) -> None:
        batch = cut.batch
        self._breaker.failed(f"{type(error).__name__}: {error}")
        letter = letters.letter(cut.raw[0], batch.topic.name, "handle", error, now=self._process.clock())
        await letters.publish(producer, [letter], "handle")
        empty = msgspec.structs.replace(batch, records=[], dead_letters=[*batch.dead_letters, letter])
        await self._worker.insist(lambda: self._sink.write(batch.topic, [empty]))


def _halves(cuts: Sequence[_Cut[Any]]) -> tuple[Sequence[_Cut[Any]], Sequence[_Cut[Any]]]:
    if len(cuts) > 1:
        middle = len(cuts) // 2
        return cuts[:middle], cuts[middle:]
    batch, raw = cuts[0].batch, cuts[0].raw
    middle = len(raw) // 2
    border = raw[middle].offset
    left = msgspec.structs.replace(
        batch,
        last_offset=border - 1,
        records=batch.records[:middle],
        dead_letters=[letter for letter in batch.dead_letters if letter.offset < border],
    )
    right = msgspec.structs.replace(
        batch,
        first_offset=border,
        records=batch.records[middle:],
        dead_letters=[letter for letter in batch.dead_letters if letter.offset >= border],
    )
    return [_Cut(left, raw[:middle])], [_Cut(right, raw[middle:])]
