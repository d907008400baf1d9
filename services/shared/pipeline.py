"""Batches of messages in, messages of other topics out, no state."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from aiokafka import ConsumerRecord, TopicPartition

from schemas.messages import DeadLetter, Message
from schemas.topics import Topic
from services.shared import metrics
from services.shared.breaker import Breaker
from services.shared.consumer import Consumer, Fetched
from services.shared.dead_letters import DeadLetters
from services.shared.decoding import Decoder, by_name
from services.shared.errors import Refused
from services.shared.lag import Lag
from services.shared.lifecycle import keep
from services.shared.process import Process
from services.shared.producer import Outgoing, Producer, Writes
from services.shared.record import REPLAY_HEADER, Headers, is_replayed
from services.shared.watchdog import Progress
from services.shared.worker import Worker, bisect

log = logging.getLogger(__name__)

In = TypeVar("In", bound=Message)
Failed = Callable[[Any, Exception], Iterable[Message]]

WAIT_SECONDS = 0.5
MARKED: Headers = ((REPLAY_HEADER, b"1"),)


class Thins(Protocol):
    """Chooses, while the consumer is behind, which messages are handled."""

    def follow(self, lag: Lag) -> float:
        """The rate for the next batch."""

    def take(self, message: Any, rate: float) -> Any | None:
        """The message as it is to be handled at this rate; None where it is left out. Must not raise."""


class Pipeline(Generic[In]):
    """One consumer group that turns batches of one topic, or of several together, into messages of another.

    `handle` is given decoded messages and returns messages, each of which goes to the topic of `writes` that carries
    its type, under its own key. `failed`, where given, says what is emitted for a message that `handle` fails on.
    `ready`, where given, prepares what `handle` needs (loads a model), once, in the same thread, before the first
    batch. `acts` says that `handle` changes something beside its outputs: what comes of a replay is counted and not
    handled. `sample`, where given, thins what is handled while the service is behind: one rate for the whole of a
    batch, also where a part of it is handled again. A replay is never behind.

    Order: kept within a partition. Repeats: after a crash the last unfinished batch is handled again, so outputs carry
    ids that are functions of their inputs. Failure: a `Transient` error is tried again for ever; any other error, and
    an output that Kafka refuses for good, bisects the batch until the message that causes it stands alone, and that
    message goes to `dlq.<name>` with the reason; too many of them stop the service. A message that does not decode is
    counted and skipped. Commit: after Kafka has acknowledged every output of the batch, never before. Blocking:
    `handle` runs in one worker thread while the next batch is fetched. What is emitted from a replayed message is
    marked as it is.
    """

    def __init__(  # noqa: PLR0913 - all but the first four are optional, and any object of them would be a second name
        self,
        name: str,
        *,
        reads: Topic[In] | Sequence[Topic[Any]],
        writes: Topic[Any] | Sequence[Topic[Any]],
        handle: Callable[[Sequence[In]], Iterable[Message]],
        failed: Failed | None = None,
        ready: Callable[[], object] | None = None,
        acts: bool = False,
        sample: Thins | None = None,
    ) -> None:
        self.name, self.acts, self.sample = name, acts, sample
        self.reads = (reads,) if isinstance(reads, Topic) else tuple(reads)
        self._writes = Writes(writes)
        self._handle, self._failed, self._prepare = handle, failed, ready

    async def run(self, process: Process) -> None:
        """Consume until the process is to stop."""
        progress = process.watched(self.name)
        with Worker(self.name, process, progress) as worker:
            if self._prepare is not None:
                process.health.unready(self.name, "loading")
                await worker.once(self._prepare)
            batches = _Batches(self.name, process, worker, self)
            await keep(self.name, process, progress, lambda: batches.consume(progress))

    def outputs(self, messages: Sequence[In], headers: Headers, progress: Progress) -> list[Outgoing]:
        """What `handle` makes of `messages`, encoded; each is progress, for a model may take long for all of them."""
        return self._writes.outgoing(_seen(self._handle(messages), progress), headers)

    def failure(self, message: In, error: Exception, headers: Headers) -> list[Outgoing]:
        """What is emitted for a message that `handle` failed on, its dead letter aside."""
        return self._writes.outgoing(self._failed(message, error), headers) if self._failed else []


def _seen(messages: Iterable[Message], progress: Progress) -> Iterator[Message]:
    for message in messages:
        progress.advance()
        yield message


class _Item(NamedTuple):
    topic: str
    message: Any
    raw: ConsumerRecord


class _Done(NamedTuple):
    items: Sequence[_Item]
    outgoing: list[Outgoing]
    letters: list[DeadLetter]
    breaker: Breaker


class _Batches:
    """The loop of a pipeline: fetch, decode, handle, produce, commit."""

    def __init__(self, name: str, process: Process, worker: Worker, pipeline: Pipeline[Any]) -> None:
        self._name, self._process, self._worker, self._pipeline = name, process, worker, pipeline
        self._decoders: dict[str, Decoder[Any]] = by_name(pipeline.reads, name)
        self._breaker = Breaker()
        self._headers = MARKED if process.config.replay else ()
        self._sample = None if process.config.replay else pipeline.sample
        self._skipped = 0

    async def consume(self, progress: Progress) -> None:
        """One membership of the group, to its end."""
        config = self._process.config
        self._breaker = Breaker()
        async with (
            Producer(self._process.kafka, progress.waited) as producer,
            Consumer(self._process, list(self._decoders), service=self._name, progress=progress) as consumer,
        ):
            letters = DeadLetters(self._name, consumer.broker_run)
            while not self._process.stopping.is_set():
                fetched = await consumer.fetch(config.batch_records, WAIT_SECONDS, config.linger_seconds)
                self._process.health.ready(self._name)
                async with consumer.working:
                    if fetched.epoch == consumer.epoch:
                        await self._batch(fetched, consumer, producer, letters)

    async def _batch(self, fetched: Fetched, consumer: Consumer, producer: Producer, letters: DeadLetters) -> None:
        rate = self._sample.follow(consumer.lag) if self._sample else 1.0
        if not fetched.records:
            await consumer.commit({}, fetched.epoch)
            return
        metrics.BATCH_MESSAGES.labels(self._name).observe(fetched.messages)
        done = await self._worker.insist(lambda: self._work(fetched, consumer, letters, rate))
        await self._deliver(done, producer, letters)
        metrics.SAMPLED_OUT.labels(self._name).inc(self._skipped)
        await consumer.commit(next_offsets(fetched), fetched.epoch)

    async def _deliver(self, done: _Done, producer: Producer, letters: DeadLetters) -> None:
        """Publish; where Kafka refuses an output for good, make and publish halves, down to the message it is of."""
        try:
            await producer.publish(done.outgoing)
        except Refused as refused:
            middle = len(done.items) // 2
            for half in (done.items[:middle], done.items[middle:]) if middle else ():
                await self._deliver(await self._again(half, letters), producer, letters)
            if not middle:
                await self._give_up(done.items[0], refused, producer, letters)
        else:
            await letters.publish(producer, done.letters, "handle")
            self._breaker = done.breaker
            self._worker.progress.advance()

    async def _again(self, items: Sequence[_Item], letters: DeadLetters) -> _Done:
        return await self._worker.insist(lambda: self._made_of(items, letters))

    async def _give_up(self, item: _Item, refused: Refused, producer: Producer, letters: DeadLetters) -> None:
        self._breaker.failed(str(refused))
        cause = next(error for error in refused.errors.values() if isinstance(error, Exception))
        headers = MARKED if is_replayed(item.raw.headers) else self._headers
        try:
            await producer.publish(self._pipeline.failure(item.message, cause, headers))
        except Refused as again:
            log.error("What %s says of a failure is refused as well: %s", self._name, again)
        now = self._process.clock()
        await letters.publish(producer, [letters.letter(item.raw, item.topic, "handle", cause, now=now)], "handle")

    def _work(self, fetched: Fetched, consumer: Consumer, letters: DeadLetters, rate: float) -> _Done:
        """In the worker thread: everything between fetching and producing."""
        items: list[_Item] = []
        for partition, raw in fetched.records.items():
            name = consumer.short(partition)
            decoded = self._decoders[name].batch(raw, consumer.broker_run)
            pairs = zip(decoded.records, decoded.raw, strict=True)
            items += [_Item(name, record.message, each) for record, each in pairs]
        return self._made_of(self._thinned(items, rate), letters)

    def _thinned(self, items: list[_Item], rate: float) -> list[_Item]:
        if self._sample is None or rate >= 1:
            taken = items
        else:
            offered = (item._replace(message=self._sample.take(item.message, rate)) for item in items)
            taken = [item for item in offered if item.message is not None]
        self._skipped = len(items) - len(taken)
        return taken

    def _made_of(self, items: Sequence[_Item], letters: DeadLetters) -> _Done:
        done = _Done(items, [], [], self._breaker.trial())
        for replayed, group in groupby(items, key=lambda item: is_replayed(item.raw.headers)):
            run = list(group)
            if replayed and self._pipeline.acts:
                metrics.REPLAYED.labels(self._name).inc(len(run))
                continue
            self._handle(run, MARKED if replayed else self._headers, done, letters)
        return done

    def _handle(self, items: Sequence[_Item], headers: Headers, done: _Done, letters: DeadLetters) -> None:
        def outputs(part: Sequence[_Item]) -> list[Outgoing]:
            return self._pipeline.outputs([item.message for item in part], headers, self._worker.progress)

        results, failures = bisect(outputs, items, done.breaker)
        for result in results:
            done.outgoing.extend(result)
        for item, error in failures:
            now = self._process.clock()
            done.outgoing.extend(self._pipeline.failure(item.message, error, headers))
            done.letters.append(letters.letter(item.raw, item.topic, "handle", error, now=now))


def next_offsets(fetched: Fetched) -> dict[TopicPartition, int]:
    """What to commit when everything of `fetched` is durable."""
    return {partition: records[-1].offset + 1 for partition, records in fetched.records.items()}
