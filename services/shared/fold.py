"""Messages of one topic folded into state, one for each partition, and what the state emits."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from aiokafka import ConsumerRecord, TopicPartition

from schemas.messages import DeadLetter, Message
from schemas.topics import Topic
from services.shared.breaker import Breaker
from services.shared.consumer import Consumer, Fetched
from services.shared.dead_letters import DeadLetters
from services.shared.decoding import Decoder
from services.shared.errors import Refused
from services.shared.lifecycle import keep
from services.shared.pipeline import MARKED
from services.shared.process import Process
from services.shared.producer import Outgoing, Producer, Writes
from services.shared.record import Record
from services.shared.watchdog import Progress
from services.shared.worker import Worker, bisect

In = TypeVar("In", bound=Message)

TICK_SECONDS = 0.25


class State(Protocol[In]):
    """What is kept of one partition. Its methods are called from one thread, never two at a time.

    All of them may raise `Transient`, and are called again with the same arguments then.
    """

    def add(self, records: Sequence[Record[In]]) -> None:
        """Take records in, in the order of their offsets.

        A record may come again (after a crash, a `Transient`, or while a bad one is looked for): that must change
        nothing. An error other than `Transient` sends the record that causes it to the dead letters.
        """

    def tick(self, now: datetime) -> Iterable[Message]:
        """What is due at `now` (aware, UTC). Called several times a second, also when nothing comes.

        What it returns is acknowledged by Kafka before `needed` is asked and committed.
        """

    def needed(self) -> int | None:
        """The smallest offset that has to be read again after a crash; None when none that was added is."""


class Recalling(State[In], Protocol):
    """A state that looks back: what it says of a record depends on those before it."""

    def recall(self, records: Sequence[Record[In]]) -> None:
        """Take in, in the order of their offsets, records that an earlier state was given: nothing is due for them."""


class Fold(Generic[In]):
    """One consumer group that keeps a state for each partition of one topic and emits what the states say.

    `state(partition)` makes a fresh one. Order: kept within a partition. Repeats: a restart begins at the smallest
    offset that a state still `needed`, so records come again; a partition that is taken away takes its state along,
    and what it emits later is rebuilt from there. Commit: `needed()`, or the next offset where nothing is needed,
    after Kafka has acknowledged what `tick` returned. Failures and blocking: as of a `Pipeline`; what `tick` returned
    and Kafka refuses for good is itself the dead letter, since no single message caused it. With `lookback`, states
    are `Recalling`: a fresh one is first given the records of so many offsets before the first that is new to the
    group, so that it says of every record what a state would that had never been away.
    """

    def __init__(
        self,
        name: str,
        *,
        reads: Topic[In],
        writes: Topic[Any] | Sequence[Topic[Any]],
        state: Callable[[int], State[In]],
        tick_seconds: float = TICK_SECONDS,
        lookback: int = 0,
    ) -> None:
        self.name, self.lookback = name, lookback
        self.reads, self.writes, self.state, self.tick_seconds = reads, Writes(writes), state, tick_seconds

    async def run(self, process: Process) -> None:
        """Consume until the process is to stop."""
        progress = process.watched(self.name)
        with Worker(self.name, process, progress) as worker:
            await keep(self.name, process, progress, lambda: _Membership(self, process, worker).consume(progress))


class _Membership:
    """One membership of the group: the states live as long as the epoch that they began in."""

    def __init__(self, fold: Fold[Any], process: Process, worker: Worker) -> None:
        self._fold, self._process, self._worker = fold, process, worker
        self._decoder = Decoder(fold.reads, fold.name)
        self._breaker = Breaker()
        self._headers = MARKED if process.config.replay else ()
        self._epoch = 0
        self._states: dict[TopicPartition, State[Any]] = {}
        self._begins: dict[TopicPartition, int] = {}  # the first offset that is new to the group
        self._next: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}
        self._ticked: dict[TopicPartition, list[Outgoing]] = {}

    async def consume(self, progress: Progress) -> None:
        config, fold = self._process.config, self._fold
        async with (
            Producer(self._process.kafka, progress.waited) as producer,
            Consumer(self._process, [fold.reads.name], service=fold.name, progress=progress) as consumer,
        ):
            letters = DeadLetters(fold.name, consumer.broker_run)
            while not self._process.stopping.is_set():
                fetched = await consumer.fetch(config.batch_records, fold.tick_seconds, config.linger_seconds)
                self._process.health.ready(fold.name)
                async with consumer.working:
                    if self._belongs(fetched, consumer.epoch):
                        await self._batch(self._after_lookback(fetched, consumer), consumer, producer, letters)

    def _after_lookback(self, fetched: Fetched, consumer: Consumer) -> Fetched:
        """What was fetched, but for partitions that are read from further back first: theirs comes again."""
        back = {
            partition: max(0, found[0].offset - self._fold.lookback)
            for partition, found in fetched.records.items()
            if partition not in self._begins
        }
        rewound = set()
        for partition, start in back.items():
            self._begins[partition] = fetched.records[partition][0].offset
            if start < self._begins[partition] and self._fold.lookback:
                consumer.read_again(partition, start)
                rewound.add(partition)
        left = {partition: found for partition, found in fetched.records.items() if partition not in rewound}
        return Fetched(left, fetched.epoch)

    def _belongs(self, fetched: Fetched, epoch: int) -> bool:
        if epoch != self._epoch:
            self._epoch = epoch
            self._states, self._begins, self._next, self._committed, self._ticked = {}, {}, {}, {}, {}
        return fetched.epoch == epoch

    async def _batch(self, fetched: Fetched, consumer: Consumer, producer: Producer, letters: DeadLetters) -> None:
        failures = await self._worker.insist(lambda: self._add(fetched, consumer.broker_run, letters))
        outgoing = await self._worker.insist(self._tick)
        try:
            await producer.publish(outgoing)
        except Refused as refused:
            now = self._process.clock()
            failures += [letters.of_output(outgoing[at], error, now=now) for at, error in refused.errors.items()]
        await letters.publish(producer, failures, "handle")
        await consumer.commit(self._movable(), fetched.epoch)

    def _add(self, fetched: Fetched, broker_run: str, letters: DeadLetters) -> list[DeadLetter]:
        found: list[DeadLetter] = []
        breaker = self._breaker.trial()
        for partition, raw in fetched.records.items():
            decoded = self._decoder.batch(raw, broker_run)
            state: Any = self._states.get(partition) or self._fold.state(partition.partition)
            self._states[partition] = state
            items = list(zip(decoded.records, decoded.raw, strict=True))
            begin = self._begins[partition]
            if known := [record for record, _ in items if record.offset < begin]:
                bisect(state.recall, known, Breaker())  # what fails has failed before, and lies in the dead letters
            found += self._add_each(state, [item for item in items if item[0].offset >= begin], breaker, letters)
            self._next[partition] = max(begin, raw[-1].offset + 1)
        self._breaker = breaker
        return found

    def _add_each(
        self,
        state: State[Any],
        items: Sequence[tuple[Record[Any], ConsumerRecord]],
        breaker: Breaker,
        letters: DeadLetters,
    ) -> list[DeadLetter]:
        _, failures = bisect(lambda part: state.add([record for record, _ in part]), items, breaker)
        now, topic = self._process.clock(), self._fold.reads.name
        return [letters.letter(raw, topic, "handle", error, now=now) for (_, raw), error in failures]

    def _tick(self) -> list[Outgoing]:
        # What some states have returned is kept where another one has to be asked again: they say it once.
        now = self._process.clock()
        for partition, state in self._states.items():
            if partition not in self._ticked:
                self._ticked[partition] = self._fold.writes.outgoing(self._said(state.tick(now)), self._headers)
        ticked, self._ticked = self._ticked, {}
        return [outgoing for found in ticked.values() for outgoing in found]

    def _said(self, messages: Iterable[Message]) -> Iterator[Message]:
        for message in messages:
            self._worker.progress.advance()  # a tick that says much may take longer than a stall
            yield message

    def _movable(self) -> dict[TopicPartition, int]:
        """The offsets that differ from what was committed last."""
        moved: dict[TopicPartition, int] = {}
        for partition, state in self._states.items():
            needed = state.needed()
            offset = self._next[partition] if needed is None else min(needed, self._next[partition])
            if self._committed.get(partition) != offset:
                self._committed[partition] = moved[partition] = offset
        return moved
