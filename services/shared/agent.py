"""Few events, timers and state machines: Faust, in the only pattern that loses nothing."""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import faust
import faust.streams
from aiokafka import ConsumerRecord
from aiokafka.errors import InvalidSessionTimeoutError, KafkaError
from faust.types import EventT

from schemas.messages import DeadLetter
from schemas.topics import Topic
from services.shared import metrics, session
from services.shared.breaker import Breaker, Marker, Tripped
from services.shared.commit_guard import GuardedTransport
from services.shared.dead_letters import DeadLetters
from services.shared.decoding import Decoder, by_name
from services.shared.ends import Ends
from services.shared.errors import Again, Unusable
from services.shared.kafka import LARGEST_MESSAGE_BYTES, Kafka, is_away
from services.shared.lag import Place, tell
from services.shared.lifecycle import held
from services.shared.predecessors import Membership
from services.shared.process import Process
from services.shared.producer import Producer
from services.shared.record import Record
from services.shared.topics import present
from services.shared.watchdog import STUCK, Progress
from services.shared.worker import Stopping, Worker, bisect

log = logging.getLogger(__name__)

TAKE, WITHIN_SECONDS = 200, 0.1
BUFFERED = 256
WATCH_SECONDS = 1.0


class Agent:
    """One consumer group of few events, and a clock.

    `record(records)` stores what has come, in the agent's own store, and returns when it is durable; `step(now)`
    drives what is due in that store, every `step_seconds`, also when nothing comes. Both run in the same worker
    thread, never at the same time, so nothing sleeps in the agent and the store has one writer. What is to be
    published goes into an `Outbox`, in the transaction that decides it.

    Order: kept within a partition. Repeats: after a crash the last records come again; `record` must know them by
    their ids. Failure: `Transient` is tried again for ever; any other error of `record` bisects until the message
    that causes it stands alone, which goes to `dlq.<name>`; too many stop the service, steps included, until a person
    resumes it, and nothing of the batch is acknowledged. An error of `step` ends the process. What does not decode is
    counted and skipped. Commit: after `record` has returned. A new broker run ends the process with exit code 75, for
    the supervisor to start it again.
    """

    def __init__(
        self,
        name: str,
        *,
        reads: Topic[Any] | Sequence[Topic[Any]],
        record: Callable[[Sequence[Record[Any]]], None],
        step: Callable[[datetime], None],
        step_seconds: float = 0.5,
    ) -> None:
        self.name = name
        self.reads = (reads,) if isinstance(reads, Topic) else tuple(reads)
        self.record, self.step, self.step_seconds = record, step, step_seconds

    async def run(self, process: Process) -> None:
        """Consume and step until the process is to stop."""
        _assert_compiled()
        progress = process.watched(self.name)
        with Worker(self.name, process, progress) as worker:
            await _Life(self, process, worker, progress).run()


class _Life:
    """From joining the group to leaving it."""

    def __init__(self, agent: Agent, process: Process, worker: Worker, progress: Progress) -> None:
        self._agent, self._process, self._worker, self._progress = agent, process, worker, progress
        self._decoders: dict[str, Decoder[Any]] = by_name(agent.reads, agent.name)
        self._breaker = Breaker()
        self._acknowledged: dict[Any, int] = {}
        self._told: frozenset[Place] = frozenset()
        self._marker = Marker(process.config.data, agent.name)
        self._membership = Membership(process.config.data, process.config.group_of(agent.name))
        self._held = False
        self._given_up = asyncio.Event()

    async def run(self) -> None:
        """Start Faust in this loop, step beside it, and stop both."""
        process, name = self._process, self._agent.name
        await held(name, process, self._marker, self._progress)
        if process.stopping.is_set():
            return
        process.health.unready(name, "joining")
        await present(process.kafka, list(self._decoders), name)
        await self._membership.bury(process.kafka)
        async with Producer(process.kafka, self._progress.waited) as producer:
            app = self._app(producer)
            starting = asyncio.ensure_future(app.start())
            try:
                if await self._joined(app, starting):
                    await _first(process.stopping.wait(), self._step(), self._watch(app, producer.broker_run))
            finally:
                await self._leave(app)
                starting.cancel()

    async def _joined(self, app: faust.App, starting: "asyncio.Future[None]") -> bool:
        """Wait until Faust has joined the group, and see what keeps it from that; False where it is to stop first."""
        while not starting.done():
            await asyncio.wait([starting], timeout=WATCH_SECONDS)
            await self._joinable(app)
            if self._process.stopping.is_set():
                return False
        starting.result()
        return True

    async def _leave(self, app: faust.App) -> None:
        """Stop Faust when what is in hand is acknowledged, or leave both behind where it cannot be."""
        member = _member(app)
        given_up = asyncio.ensure_future(self._given_up.wait())
        stopped = asyncio.ensure_future(app.stop())
        await asyncio.wait([stopped, given_up], return_when=asyncio.FIRST_COMPLETED)
        if stopped.done():
            given_up.cancel()
            if not stopped.cancelled() and (error := stopped.exception()):
                log.warning("Faust did not end %s in order: %r", self._agent.name, error)
            if member and member._coordinator.left:
                self._membership.forget()  # else the next start leaves the group in this name

    def _app(self, producer: Producer) -> faust.App:
        config = self._process.config
        app = safe_app(self._process.kafka, config.group_of(self._agent.name), config.data)
        names = [self._process.kafka.full(name) for name in self._decoders]
        topic = app.topic(*names, key_serializer="raw", value_serializer="raw", internal=False)
        letters = DeadLetters(self._agent.name, producer.broker_run)

        async def consume(stream: Any) -> None:
            try:
                async for events in stream.noack_take(TAKE, within=WITHIN_SECONDS):
                    await self._insist(events, producer, letters)
            except asyncio.CancelledError:
                raise
            except Stopping:
                self._given_up.set()
                await asyncio.Event().wait()  # returning or raising would have Faust acknowledge what is in hand
            except BaseException:
                log.critical("%s failed", self._agent.name, exc_info=True)
                _end(f"{self._agent.name} failed")
            if not app.should_stop and not self._process.stopping.is_set():
                _end(f"the stream of {self._agent.name} ended by itself")

        app.agent(topic, name=self._agent.name, concurrency=1)(consume)
        return app

    async def _insist(self, events: Sequence[EventT[Any]], producer: Producer, letters: DeadLetters) -> None:
        """Take these events, and no others before them: while the breaker holds, they stay in hand."""
        while True:
            try:
                return await self._take(events, producer, letters)
            except Tripped as error:
                await self._hold(error)
            if self._process.stopping.is_set():
                raise Stopping

    async def _hold(self, error: Tripped) -> None:
        self._marker.set(str(error), self._process.clock())
        self._held = True
        await held(self._agent.name, self._process, self._marker, self._progress)
        self._held, self._breaker = False, Breaker()
        metrics.STOPPED.labels(self._agent.name).set(0)

    async def _take(self, events: Sequence[EventT[Any]], producer: Producer, letters: DeadLetters) -> None:
        """Record all of them, publish the letters of those that fail, then acknowledge all of them."""
        metrics.BATCH_MESSAGES.labels(self._agent.name).observe(len(events))
        breaker, failures = await self._worker.insist(lambda: self._record(events, letters))
        await letters.publish(producer, failures, "handle")
        self._breaker = breaker
        for event in events:
            event.ack()
            message = event.message
            self._acknowledged[message.tp] = max(self._acknowledged.get(message.tp, 0), message.offset + 1)
        self._progress.advance()

    def _record(self, events: Sequence[EventT[Any]], letters: DeadLetters) -> tuple[Breaker, list[DeadLetter]]:
        """In the worker thread: decode, record, and say what could not be recorded."""
        items: list[tuple[Record[Any], ConsumerRecord]] = []
        for name, raw in _by_topic(events, self._process.kafka).items():
            metrics.CONSUMED.labels(self._agent.name, name).inc(len(raw))
            decoded = self._decoders[name].batch(raw, letters.broker_run)
            items += zip(decoded.records, decoded.raw, strict=True)
        breaker = self._breaker.trial()
        if not items:
            return breaker, []
        _, failures = bisect(lambda part: self._agent.record([record for record, _ in part]), items, breaker)
        now = self._process.clock()
        return breaker, [
            letters.letter(raw, record.topic, "handle", error, now=now) for (record, raw), error in failures
        ]

    async def _step(self) -> None:
        while not self._process.stopping.is_set():
            try:
                if not self._held:
                    await self._worker.insist(lambda: self._agent.step(self._process.clock()))
            except Stopping:
                return
            await self._process.stopped_within(self._agent.step_seconds)

    async def _watch(self, app: faust.App, run: str) -> None:
        """Compare with the broker what Faust says of itself; ends when the log is another one or Faust has crashed."""
        name, process = self._agent.name, self._process
        async with Ends(process.kafka, list(self._decoders), name) as ends:
            while not (process.stopping.is_set() or app.crashed or app.should_stop):
                if app.consumer.assignment() and not self._held:
                    process.health.ready(name)
                    self._membership.remember(_member_id(app))
                await self._joinable(app)
                try:
                    if await ends.broker_run() != run:
                        raise Again(f"the broker's log is another one for {name}")
                    self._measure(app, await ends.beginnings(), await ends.offsets())
                except (KafkaError, OSError, TimeoutError):
                    log.warning("Kafka does not answer %s; trying again", name)
                    if await is_away(process.kafka):
                        self._progress.waited()
                await process.stopped_within(WATCH_SECONDS)
        if not process.stopping.is_set():
            _end(f"Faust has stopped {name}")

    async def _joinable(self, app: faust.App) -> None:
        # aiokafka tells its errors to who fetches, and Faust does not fetch before it has joined.
        member = _member(app)
        error = member and member._coordinator._pending_exception
        if isinstance(error, InvalidSessionTimeoutError):
            raise await session.refused(self._process.config)
        if error is not None:
            raise Again(f"{self._agent.name} cannot join its group: {error!r}")

    def _measure(self, app: faust.App, beginnings: Mapping[Any, int], ends: Mapping[Any, int]) -> None:
        consumer: Any = app.consumer
        lags: dict[Place, int] = {}
        uncommitted = False
        for place in consumer.assignment():
            end, committed = ends.get((place.topic, place.partition), 0), consumer._committed_offset.get(place) or 0
            # What was deleted is not behind: it never comes.
            done = max(committed, self._acknowledged.get(place, 0), beginnings.get((place.topic, place.partition), 0))
            uncommitted |= self._acknowledged.get(place, 0) > committed
            lags[self._process.kafka.short(place.topic), place.partition] = max(0, end - done)
        self._told, lag = tell(self._agent.name, lags, self._told), sum(lags.values())
        if lag < self._progress.lag:
            self._progress.advance()
        self._progress.behind(lag)
        if uncommitted:
            self._progress.to_commit()
        else:
            self._progress.uncommitted_since = None


def safe_app(kafka: Kafka, group: str, data: Path) -> faust.App:
    """A Faust app with the settings under which it loses nothing, joins fast, and opens no port."""
    folder = data / "state" / "faust"  # Faust makes it, and keeps nothing there
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    app = faust.App(
        group,
        broker=f"kafka://{kafka.bootstrap.replace(',', ';')}",
        store="memory://",
        datadir=str(folder),
        autodiscover=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        web_in_thread=False,
        broker_commit_interval=0.5,
        broker_heartbeat_interval=kafka.heartbeat_seconds,
        broker_session_timeout=kafka.session_seconds,
        broker_rebalance_timeout=kafka.session_seconds,
        broker_request_timeout=kafka.request_seconds,
        broker_max_poll_interval=86_400.0,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=LARGEST_MESSAGE_BYTES,
        producer_acks=-1,
        producer_request_timeout=30.0,
        stream_wait_empty=True,
        stream_buffer_maxsize=BUFFERED,
        stream_recovery_delay=0.0,
        processing_guarantee="at_least_once",
    )
    app.transport = GuardedTransport(app.conf.broker_consumer, app)
    return app


def _member_id(app: faust.App) -> str:
    member = _member(app)
    return str(member._coordinator.member_id)


def _member(app: Any) -> Any:
    """Faust's consumer of aiokafka; None before it is made."""
    return app._consumer and app._consumer._thread and app._consumer._thread._consumer


def _by_topic(events: Sequence[EventT[Any]], kafka: Kafka) -> dict[str, list[ConsumerRecord]]:
    found: dict[str, list[ConsumerRecord]] = {}
    for event in events:
        message = event.message
        raw = ConsumerRecord(
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            timestamp=int((message.timestamp or 0) * 1000),
            timestamp_type=0,
            key=message.key,
            value=message.value,
            checksum=None,
            serialized_key_size=-1,
            serialized_value_size=-1,
            headers=tuple(_headers(message.headers)),
        )
        found.setdefault(kafka.short(message.topic), []).append(raw)
    return found


def _headers(headers: Any) -> list[tuple[str, bytes]]:
    if not headers:
        return []
    return list(headers.items()) if isinstance(headers, Mapping) else list(headers)


def _assert_compiled() -> None:
    if getattr(faust.streams, "_CStreamIterator", None) is None:
        raise Unusable(
            "Faust's compiled stream iterator is missing, and the other one acknowledges stale messages after a "
            "rebalance. Install the wheel of faust-streaming, and unset NO_CYTHON"
        )


async def _first(*works: Any) -> None:
    """Wait for the first to end, cancel the others, and raise its error."""
    tasks = [asyncio.ensure_future(work) for work in works]
    done, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for other in others:
        other.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    for task in done:
        task.result()


def _end(reason: str) -> NoReturn:
    # Faust restarts or forgets what fails in it, with its messages committed: only the end of the process is safe.
    log.critical("%s; the process ends", reason)
    logging.shutdown()
    os._exit(STUCK)
