"""Messages to Kafka: acknowledged, or not sent."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidTimestampError,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    ProducerClosed,
    RecordListTooLargeError,
    RecordTooLargeError,
    UnknownError,
    UnsupportedForMessageFormatError,
)
from aiokafka.partitioner import DefaultPartitioner

from schemas.messages import Message
from schemas.topics import Topic
from services.shared import kafka as clusters
from services.shared.errors import Refused, Transient
from services.shared.kafka import LARGEST_MESSAGE_BYTES, Kafka
from services.shared.metrics import PRODUCED, PRODUCER_RECREATIONS, RETRIES
from services.shared.one_log import bind, has_topics
from services.shared.record import Headers
from services.shared.retry import pauses
from services.shared.topic_settings import is_embedded

log = logging.getLogger(__name__)

# A broker without idempotence answers this, and is then written to without: no error of ours.
logging.getLogger("aiokafka.producer.sender").addFilter(lambda record: "InitProducerId" not in str(record.msg))

BATCH_BYTES = 256 * 1024
REQUEST_SECONDS = 30.0
IDLE_MS = 540_000
LOOK_SECONDS = 10.0
CLOSE_SECONDS = 5.0
ENVELOPE_BYTES = 1024  # what Kafka adds to a message, at most, keys and headers of ours included

# The broker will say the same to the same message for ever. Every other error may pass, missing permissions too:
# what waits for an administrator must not be given up.
FOR_GOOD = (
    MessageSizeTooLargeError,
    RecordTooLargeError,
    RecordListTooLargeError,
    InvalidTopicError,
    InvalidTimestampError,
    UnsupportedForMessageFormatError,
    PolicyViolationError,
)


class Outgoing(NamedTuple):
    """A message on its way; `topic` is without the prefix."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers = ()


class Writes:
    """Which topic a message goes to: the one that is declared for its type."""

    def __init__(self, topics: Topic[Any] | Sequence[Topic[Any]]) -> None:
        topics = (topics,) if isinstance(topics, Topic) else tuple(topics)
        self._names: dict[type[Message], str] = {topic.message: topic.name for topic in topics}

    def outgoing(self, messages: Iterable[Message], headers: Headers = ()) -> list[Outgoing]:
        """The messages as they go out; raises `TypeError` for a type that no topic is declared for."""
        names = self._names
        try:
            return [
                Outgoing(names[type(message)], message.key.encode(), message.encode(), headers) for message in messages
            ]
        except KeyError as error:
            raise TypeError(f"{error.args[0].__name__} goes to none of the topics that are written") from None


class Producer:
    """One connection to Kafka for everything that a process writes.

    Delivery: `publish` returns when every message is acknowledged by all in-sync replicas; it tries for ever, and
    resends what was not confirmed. What the broker refuses for good (`FOR_GOOD`) is found among what was sent with
    it, and told by `Refused` when all else is acknowledged. Order: kept within a key, repeats and what comes after a
    refusal aside. A producer that a sequence gap (aiokafka#1017) or a lost connection has made unusable is replaced.
    A broker without idempotence (the embedded one) is written to without: repeats carry the ids of what they repeat,
    one request a partition is in flight, and every log has a producer of its own. `waiting` is called at every try
    again, and while the broker is away.
    """

    def __init__(self, kafka: Kafka, waiting: Callable[[], None] = lambda: None) -> None:
        self._kafka, self._waiting = kafka, waiting
        self._producer: AIOKafkaProducer | None = None
        self._partition = DefaultPartitioner()
        self._idempotent = True
        self._complete: AIOKafkaProducer | None = None  # one that has seen every topic of its log
        self._lock = asyncio.Lock()
        self._log: clusters.BrokerRun  # of the producer of now
        self._run = ""
        self._late: dict[asyncio.Future[Any], int] = {}
        self._ended = False

    async def __aenter__(self) -> Self:
        await self.connected()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def late_bytes(self) -> int:
        """Bytes of what an `attempt` gave up waiting for and that is neither acknowledged nor refused yet."""
        return sum(self._late.values())

    @property
    def broker_run(self) -> str:
        """The run of the broker that was last written to, or connected to."""
        return self._run

    async def connected(self) -> None:
        """Wait until a broker answers; for ever."""
        async for _ in pauses():
            with suppress(KafkaError, OSError, TimeoutError):
                await self._ready()
                return
            self._waiting()
            log.warning("Kafka at %s does not answer; trying again", self._kafka.bootstrap)

    async def close(self) -> None:
        """Let go of the connection; what is not acknowledged is not sent."""
        self._ended = True
        for late in tuple(self._late):
            late.cancel()
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stop(producer)

    async def check_run(self) -> str:
        """Ask for the broker run where a connection is another one than before; raises `KafkaError`."""
        producer = await self._ready()
        try:
            now = await self._log.now()
        except (KafkaError, OSError, TimeoutError):
            if not self._idempotent:
                await self._replace(producer)  # it is bound to a connection that is lost
            raise
        if now != self._run:
            # What it knows of topics is the old log's, and another cluster may have given its id to somebody else.
            await self._replace(producer)
            await self._ready()
        return self._run

    async def send(self, messages: Iterable[Message], writes: Writes, headers: Headers = ()) -> None:
        """Publish messages to the topics of their types, under their own keys; see `publish`."""
        await self.publish(writes.outgoing(messages, headers))

    async def publish(self, messages: Sequence[Outgoing | tuple[str, bytes, bytes]]) -> None:
        """Send (topic without prefix, key, value) in order and return when all are acknowledged; tries for ever.

        Raises `Refused`, with the positions in `messages`, for what no try would change.
        """
        left = list(range(len(messages)))
        refused: dict[int, BaseException] = {}
        together = True
        async for _ in pauses():
            used = self._producer
            results = await self._attempt([messages[index] for index in left], together=together)
            failed = {index: error for index, error in zip(left, results, strict=True) if error is not None}
            refused |= {index: error for index, error in failed.items() if isinstance(error, FOR_GOOD)}
            left = [index for index in failed if index not in refused]
            if not failed:
                break
            await self._replace(used)
            if not left:
                break
            together = not any(isinstance(failed[index], _RefusedTogether) for index in left)
            RETRIES.labels("producer").inc()
            log.warning("Kafka did not take %d messages: %r; trying again", len(left), failed[left[0]])
            self._waiting()
        if refused:
            raise Refused(refused)

    async def attempt(
        self, messages: Sequence[Outgoing | tuple[str, bytes, bytes]], timeout_seconds: float
    ) -> list[bool]:
        """Send once, in order, and say of each message whether it was acknowledged in time.

        What was not may arrive all the same.
        """
        used = self._producer
        trying = asyncio.ensure_future(self._attempt(messages))
        # Waited for, not cancelled: aiokafka leaves connections open that are cancelled half-way.
        await asyncio.wait([trying], timeout=timeout_seconds)
        if not trying.done():
            self._late[trying] = sum(len(message[2]) for message in messages)
            trying.add_done_callback(self._late.pop)
            return [False] * len(messages)
        results = trying.result()
        if any(result is not None for result in results):
            await self._replace(used)
        return [result is None for result in results]

    async def _attempt(
        self, messages: Sequence[Outgoing | tuple[str, bytes, bytes]], *, together: bool = True
    ) -> list[BaseException | None]:
        """What became of each message: None when it is acknowledged."""
        results: list[BaseException | None] = [_too_large(message) for message in messages]
        try:
            producer = await self._ready()
            run = self._run
            batches = await self._batches(producer, messages, results, together=together)
        except (KafkaError, OSError, TimeoutError, Transient) as error:
            return [result or error for result in results]
        await self._settled([batch.future for batch in batches])
        another = await self._another(run)
        for batch in batches:
            failure = _failure(batch) or another
            if failure is None:
                PRODUCED.labels(batch.topic).inc(len(batch.indices))
            for index in batch.indices:
                results[index] = failure
        return results

    async def _another(self, run: str) -> Exception | None:
        """Why what was acknowledged is to be sent again: the embedded broker takes what goes to a topic that its new

        log does not have yet, and drops it.
        """
        if self._ended:
            return Transient("the connection was closed meanwhile")
        try:
            now = await self.check_run()
        except (KafkaError, OSError, TimeoutError) as error:
            return error
        return None if now == run else Transient(f"the broker's log is another one: {run} is now {now}")

    async def _settled(self, futures: "Iterable[asyncio.Future[Any]]") -> None:
        # An idempotent producer of aiokafka tries for ever by itself, and says nothing.
        waiting = set(futures)
        while waiting:
            _, waiting = await asyncio.wait(waiting, timeout=LOOK_SECONDS)
            if waiting and await clusters.is_away(self._kafka):
                self._waiting()

    async def _batches(
        self,
        producer: AIOKafkaProducer,
        messages: Sequence[Outgoing | tuple[str, bytes, bytes]],
        refused: Sequence[BaseException | None],
        *,
        together: bool,
    ) -> "list[_Batch]":
        # Batches built here cost a third of what a future for each message does.
        partitions = {topic: await self._partitions(producer, topic) for topic in {message[0] for message in messages}}
        places: dict[tuple[str, int], list[int]] = defaultdict(list)
        for index, message in enumerate(messages):
            if refused[index] is None:
                available = partitions[message[0]]
                places[message[0], self._partition(message[1], available, available)].append(index)
        batches: list[_Batch] = []
        for (topic, partition), indices in places.items():
            for part in [indices] if together else [[index] for index in indices]:
                batches += await self._fill(producer, topic, partition, [(index, messages[index]) for index in part])
        return batches

    async def _fill(
        self, producer: AIOKafkaProducer, topic: str, partition: int, messages: Sequence[tuple[int, Any]]
    ) -> "list[_Batch]":
        batches: list[_Batch] = []
        builder = producer.create_batch()
        indices: list[int] = []

        async def submit() -> None:
            future = await producer.send_batch(builder, self._kafka.full(topic), partition=partition)
            future.add_done_callback(_looked_at)
            batches.append(_Batch(topic, indices, future))

        for index, message in messages:
            headers = message[3] if len(message) > 3 else ()
            arguments = {"timestamp": None, "key": message[1], "value": message[2], "headers": list(headers)}
            if builder.append(**arguments) is None:
                await submit()
                builder, indices = producer.create_batch(), []
                builder.append(**arguments)
            indices.append(index)
        await submit()
        return batches

    async def _partitions(self, producer: AIOKafkaProducer, topic: str) -> list[int]:
        if not self._idempotent and producer is not self._complete:
            if not await has_topics(producer, self._kafka):
                raise Transient("the topics are not applied yet; `tidemark up` does it, and `tidemark topics apply`")
            self._complete = producer
        name = self._kafka.full(topic)
        found = await clusters.answer(producer.partitions_for(name))
        if not found:
            raise Transient(f"the topic {name} does not exist; `tidemark up` applies the topics")
        return sorted(found)

    async def _ready(self) -> AIOKafkaProducer:
        async with self._lock:
            if self._producer is None:
                self._producer = await self._started()
            return self._producer

    async def _started(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._kafka.bootstrap,
            acks="all",
            enable_idempotence=self._idempotent,
            request_timeout_ms=int(REQUEST_SECONDS * 1000),
            max_batch_size=BATCH_BYTES,
            max_request_size=LARGEST_MESSAGE_BYTES,
            linger_ms=0,
            connections_max_idle_ms=IDLE_MS if self._idempotent else None,  # a bound producer must not let go
        )
        try:
            await producer.start()
            self._log = clusters.BrokerRun(producer.client)
            self._run = await self._log.now()
            if not self._idempotent:
                bind(producer)
        except BaseException as error:
            try:
                refused = isinstance(error, UnknownError) and await is_embedded(producer.client)
            finally:
                await producer.stop()
            if not (refused and self._idempotent):
                raise
            self._idempotent = False
            return await self._started()
        return producer

    async def _replace(self, used: AIOKafkaProducer | None) -> None:
        """Let go of `used`, unless somebody else was faster; the next one that is needed is another."""
        async with self._lock:
            if used is not None and self._producer is used:
                PRODUCER_RECREATIONS.inc()
                self._producer = None
                await _stop(used)


async def _stop(producer: AIOKafkaProducer) -> None:
    """Stop it; what a stop that was cancelled in its flush leaves behind is ended too, and who waits for it is told."""
    try:
        await clusters.answer(producer.stop(), CLOSE_SECONDS)
    except (KafkaError, OSError, TimeoutError):
        with suppress(KafkaError, OSError, TimeoutError):
            # Together: the sender waits for its requests, which end with the connections.
            await clusters.answer(asyncio.gather(producer._sender.close(), producer.client.close()), CLOSE_SECONDS)
            await producer.client.close()  # what a request was opening meanwhile
        producer._message_accumulator.fail_all(ProducerClosed())


def _looked_at(batch: "asyncio.Future[Any]") -> None:
    """Nobody waits for a batch where one that was to be sent with it could not be; it is sent again with the others."""
    if not batch.cancelled():
        batch.exception()


class _RefusedTogether(Exception):
    """A batch was refused for good, and it is not known yet for which of its messages."""


def _too_large(message: Outgoing | tuple[str, bytes, bytes]) -> BaseException | None:
    # The embedded broker takes what is larger, and then nobody can fetch it.
    size = len(message[1]) + len(message[2]) + ENVELOPE_BYTES
    if size <= LARGEST_MESSAGE_BYTES:
        return None
    error: BaseException = MessageSizeTooLargeError(f"{size} bytes are more than {LARGEST_MESSAGE_BYTES}")
    return error


def _failure(batch: "_Batch") -> BaseException | None:
    if batch.future.cancelled():
        return asyncio.CancelledError()
    failure = batch.future.exception()
    if isinstance(failure, FOR_GOOD) and len(batch.indices) > 1:
        return _RefusedTogether(repr(failure))
    return failure


class _Batch(NamedTuple):
    topic: str
    indices: list[int]
    future: "asyncio.Future[Any]"
