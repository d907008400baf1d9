"""Batches of one topic in, messages of others out, no state."""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any, Generic, NamedTuple, TypeVar

from aiokafka import ConsumerRecord, TopicPartition

from schemas.messages import DeadLetter, Message
from schemas.topics import Topic
from services.shared import metrics
from services.shared.breaker import Breaker
from services.shared.consumer import Consumer, Fetched
from services.shared.dead_letters import DeadLetters
from services.shared.decoding import Decoder
from services.shared.lifecycle import keep
from services.shared.process import Process
from services.shared.producer import Outgoing, Producer, Writes
from services.shared.record import REPLAY_HEADER, Headers, is_replayed
from services.shared.worker import Worker, bisect

In = TypeVar("In", bound=Message)
Failed = Callable[[Any, Exception], Iterable[Message]]

WAIT_SECONDS = 0.5
MARKED: Headers = ((REPLAY_HEADER, b"1"),)


class Pipeline(Generic[In]):
    """One consumer group that turns batches of one topic into messages of another.

    `handle` is given decoded messages and returns messages, each of which goes to the topic of `writes` that carries
    its type, under its own key. `failed`, where given, says what is emitted for a message that `handle` fails on.
    `ready`, where given, prepares what `handle` needs (loads a model), once, in the same thread, before the first
    batch.

    Order: kept within a partition. Repeats: after a crash the last unfinished batch is handled again, so outputs carry
    ids that are functions of their inputs. Failure: a `Transient` error is tried again for ever; any other error
    bisects the batch until the message that causes it stands alone, and that message goes to `dlq.<name>` with the
    reason; too many of them stop the service. A message that does not decode is counted and skipped. Commit: after
    Kafka has acknowledged every output of the batch, never before. Blocking: `handle` runs in one worker thread while
    the next batch is fetched. What is emitted from a replayed message is marked as it is.
    """

    def __init__(
        self,
        name: str,
        *,
        reads: Topic[In],
        writes: Topic[Any] | Sequence[Topic[Any]],
        handle: Callable[[Sequence[In]], Iterable[Message]],
        failed: Failed | None = None,
        ready: Callable[[], object] | None = None,
    ) -> None:
        self.name = name
        self._reads, self._writes = reads, Writes(writes)
        self._handle, self._failed, self._prepare = handle, failed, ready

    async def run(self, process: Process) -> None:
        """Consume until the process is to stop."""
        progress = process.watched(self.name)
        with Worker(self.name, process, progress) as worker:
            if self._prepare is not None:
                process.health.unready(self.name, "loading")
                await worker.once(self._prepare)
            batches = _Batches(self.name, process, worker, self)
            await keep(self.name, process, lambda: batches.consume(progress))

    def outputs(self, messages: Sequence[In], headers: Headers) -> list[Outgoing]:
        """What `handle` makes of `messages`, encoded."""
        return self._writes.outgoing(self._handle(messages), headers)

    def failure(self, message: In, error: Exception, headers: Headers) -> list[Outgoing]:
        """What is emitted for a message that `handle` failed on, its dead letter aside."""
        return self._writes.outgoing(self._failed(message, error), headers) if self._failed else []

    @property
    def reads(self) -> Topic[In]:
        """The topic."""
        return self._reads


class _Item(NamedTuple):
    message: Any
    raw: ConsumerRecord


class _Done(NamedTuple):
    outgoing: list[Outgoing]
    letters: list[DeadLetter]
    breaker: Breaker


class _Batches:
    """The loop of a pipeline: fetch, decode, handle, produce, commit."""

    def __init__(self, name: str, process: Process, worker: Worker, pipeline: Pipeline[Any]) -> None:
        self._name, self._process, self._worker, self._pipeline = name, process, worker, pipeline
        self._decoder = Decoder(pipeline.reads, name)
        self._breaker = Breaker()
        self._headers = MARKED if process.config.replay else ()

    async def consume(self, progress: Any) -> None:
        """One membership of the group, to its end."""
        config, kafka = self._process.config, self._process.kafka
        self._breaker = Breaker()
        async with (
            Producer(kafka) as producer,
            Consumer(
                kafka,
                [self._pipeline.reads.name],
                service=self._name,
                group=config.group_of(self._name),
                progress=progress,
            ) as consumer,
        ):
            letters = DeadLetters(self._name, consumer.broker_run)
            while not self._process.stopping.is_set():
                fetched = await consumer.fetch(config.batch_records, WAIT_SECONDS, config.linger_seconds)
                self._process.health.ready(self._name)
                async with consumer.working:
                    if fetched.epoch == consumer.epoch:
                        await self._batch(fetched, consumer, producer, letters)

    async def _batch(self, fetched: Fetched, consumer: Consumer, producer: Producer, letters: DeadLetters) -> None:
        if not fetched.records:
            await consumer.commit({}, fetched.epoch)
            return
        metrics.BATCH_MESSAGES.labels(self._name).observe(fetched.messages)
        done = await self._worker.insist(lambda: self._work(fetched, consumer.broker_run, letters))
        await producer.publish(done.outgoing + [letters.outgoing(letter) for letter in done.letters])
        metrics.DEAD_LETTERS.labels(self._name, "handle").inc(len(done.letters))
        self._breaker = done.breaker
        await consumer.commit(next_offsets(fetched), fetched.epoch)

    def _work(self, fetched: Fetched, broker_run: str, letters: DeadLetters) -> _Done:
        """In the worker thread: everything between fetching and producing."""
        items: list[_Item] = []
        for raw in fetched.records.values():
            decoded = self._decoder.batch(raw, broker_run)
            items += [_Item(record.message, each) for record, each in zip(decoded.records, decoded.raw, strict=True)]
        done = _Done([], [], self._breaker.trial())
        for replayed, run in groupby(items, key=lambda item: is_replayed(item.raw.headers)):
            self._handle(list(run), MARKED if replayed else self._headers, done, letters)
        return done

    def _handle(self, items: Sequence[_Item], headers: Headers, done: _Done, letters: DeadLetters) -> None:
        def outputs(part: Sequence[_Item]) -> list[Outgoing]:
            return self._pipeline.outputs([item.message for item in part], headers)

        results, failures = bisect(outputs, items, done.breaker)
        for result in results:
            done.outgoing.extend(result)
        for item, error in failures:
            now, topic = self._process.clock(), self._pipeline.reads.name
            done.outgoing.extend(self._pipeline.failure(item.message, error, headers))
            done.letters.append(letters.letter(item.raw, topic, "handle", error, now=now))


def next_offsets(fetched: Fetched) -> dict[TopicPartition, int]:
    """What to commit when everything of `fetched` is durable."""
    return {partition: records[-1].offset + 1 for partition, records in fetched.records.items()}
