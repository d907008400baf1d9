"""One member of one consumer group: raw fetches, explicit commits, and what a rebalance or a new log takes away."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple, Self

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    InvalidSessionTimeoutError,
    KafkaError,
    UnsupportedCodecError,
)

from services.shared import kafka as clusters
from services.shared import metrics, session
from services.shared.bounds import Bounds
from services.shared.bounds import Records as _Records
from services.shared.ends import ends_of_member
from services.shared.errors import Unusable
from services.shared.kafka import LARGEST_MESSAGE_BYTES
from services.shared.lag import NO_LAG, Lag, Place, age_seconds, tell
from services.shared.predecessors import Membership
from services.shared.process import Process
from services.shared.topics import present
from services.shared.watchdog import Progress

log = logging.getLogger(__name__)

LAG_SECONDS = 5.0
TURNS = 32  # what is taken from one partition before another one's turn: this part of a batch
NEVER_MS = 2**31 - 1  # the watchdog guards progress; aiokafka leaving the group in a long retry would only hurt


class NewBrokerRun(Exception):
    """The broker's log is another one: offsets, positions and what is in flight mean nothing any more."""


class Fetched(NamedTuple):
    """Raw messages by partition, in order; void once `epoch` is over."""

    records: _Records
    epoch: int

    @property
    def messages(self) -> int:
        """The number of messages."""
        return sum(map(len, self.records.values()))


class Consumer:
    """A member of the group of `service` on `topics` (without prefix); every group starts at the earliest offset.

    A member of this machine that was killed is taken out of the group first. Work on what was fetched is done inside
    `async with consumer.working`: a rebalance waits for its end, for half a session at most. An epoch ends when
    partitions are revoked; a commit of an older epoch does nothing.
    """

    def __init__(self, process: Process, topics: Sequence[str], *, service: str, progress: Progress) -> None:
        kafka, group = process.kafka, process.config.group_of(service)
        self._config = process.config
        self._bounds = Bounds(process.config.replay_ends, kafka.prefix)
        self._kafka, self._short, self.service = kafka, self._bounds.topics(topics), service
        self._progress, self._clock = progress, process.clock
        self.lag = NO_LAG  # as of the last fetch
        self._membership = Membership(process.config.data, group)
        self.working = asyncio.Lock()
        self.epoch = 0
        self.broker_run = ""
        self._lag_at, self._unread = 0.0, 0
        self._reached: dict[TopicPartition, int] = {}
        self._pending: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}
        self._taken_ms: dict[TopicPartition, int] = {}
        self._told: frozenset[Place] = frozenset()
        self._client = AIOKafkaConsumer(
            bootstrap_servers=kafka.bootstrap,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            heartbeat_interval_ms=int(kafka.heartbeat_seconds * 1000),
            session_timeout_ms=int(kafka.session_seconds * 1000),
            max_poll_interval_ms=NEVER_MS,
            rebalance_timeout_ms=int(kafka.session_seconds * 1000),
            request_timeout_ms=int(kafka.request_seconds * 1000),
            max_partition_fetch_bytes=LARGEST_MESSAGE_BYTES,
            fetch_max_wait_ms=250,
            retry_backoff_ms=100,
        )
        self._log = clusters.BrokerRun(self._client._client)

    async def __aenter__(self) -> Self:
        try:
            await self._connect()
            self._client.subscribe([self._kafka.full(topic) for topic in self._short], listener=_Listener(self))
        except BaseException:
            await self._client.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await clusters.answer(self._client.stop())
        except (KafkaError, OSError, TimeoutError) as error:
            log.warning("Leaving the group of %s failed: %r; the group notices by itself", self.service, error)
        self._told = tell(self.service, {}, self._told)
        if self._client._coordinator.left:
            self._membership.forget()  # else the next start leaves the group in this name

    @property
    def assignment(self) -> frozenset[TopicPartition]:
        """The partitions that are this member's."""
        return frozenset(self._client.assignment())

    def short(self, partition: TopicPartition) -> str:
        """The topic of a partition, without the prefix."""
        return self._kafka.short(partition.topic)

    async def fetch(self, max_records: int, wait_seconds: float, linger_seconds: float = 0.0) -> Fetched:
        """The next messages, at most `max_records`; none after `wait_seconds`.

        With `linger_seconds`, waits so long for more after the first. Raises `NewBrokerRun`, and `Unusable` where the
        broker does not grant the session or a message is compressed in an unknown way.
        """
        try:
            records = await self._take(max_records, wait_seconds)
        except InvalidSessionTimeoutError:
            raise await session.refused(self._config) from None
        except UnsupportedCodecError as error:
            raise Unusable(
                f"{self.service} cannot read a message ({error}): compress with gzip, snappy, lz4 or zstd, "
                "and install what the requirements name"
            ) from error
        epoch = self.epoch
        if records and linger_seconds:
            records, epoch = await self._linger(records, max_records, linger_seconds)
        await self._verify_run()
        records = self._within_bounds(records, epoch)
        await self._count(records)
        return Fetched(records, epoch)

    async def commit(self, offsets: Mapping[TopicPartition, int], epoch: int) -> bool:
        """Commit the next offset of each partition; whether it was done.

        What is not committed, because the group has changed or the broker is away, comes again or goes with the
        next commit.
        """
        if epoch != self.epoch:
            self._pending.clear()
            self._progress.committed()
            return False
        self._pending.update({**offsets, **self._reached})
        self._reached.clear()
        if not self._pending:
            return True
        self._progress.to_commit()
        sent = dict(self._pending)
        try:
            await clusters.answer(self._client.commit(sent))
        except (CommitFailedError, IllegalStateError):
            self._pending.clear()
            self._progress.committed()  # the group has changed: it is for the next owner to commit
        except (KafkaError, TimeoutError) as error:
            log.warning("A commit of %s failed: %r; it goes with the next one", self.service, error)
            await self._wait_while_away()
        else:
            self._committed.update(sent)
            self._pending.clear()
            self._progress.committed()
            metrics.COMMITS.labels(self.service).inc()
            return True
        metrics.COMMIT_FAILURES.labels(self.service).inc()
        return False

    async def log_start(self, partition: TopicPartition) -> int:
        """The smallest offset of `partition` that is not deleted; raises `KafkaError` or TimeoutError."""
        return int((await clusters.answer(self._client.beginning_offsets([partition])))[partition])

    def read_again(self, partition: TopicPartition, offset: int) -> None:
        """Fetch `partition` from `offset` on, or from its beginning where that is later; what was committed stays."""
        with suppress(IllegalStateError):  # it is another member's by now, and the epoch is over
            self._client.seek(partition, offset)

    def assigned(self, partitions: int) -> None:
        """Remember as whom, for a successor to leave the group in this name."""
        log.info("%s has %d partitions", self.service, partitions)
        self._membership.remember(self._client._coordinator.member_id)

    async def revoked(self) -> None:
        """End the epoch, when the work in hand is over or half a session has passed."""
        metrics.REBALANCES.labels(self.service).inc()
        try:
            async with asyncio.timeout(self._kafka.session_seconds / 2), self.working:
                self._end_epoch()
        except TimeoutError:
            log.warning("%s could not finish its batch before a rebalance; it comes again", self.service)
            self._end_epoch()

    def _end_epoch(self) -> None:
        self.epoch += 1
        self._reached.clear()  # what was fetched before the ends and not handled comes again
        self._pending.clear()  # it is for the next owner to commit
        self._progress.uncommitted_since = None
        self._committed.clear()
        self._taken_ms.clear()

    async def _connect(self) -> None:
        await present(self._kafka, self._short, self.service)
        await self._membership.bury(self._kafka)
        await self._client.start()
        self.broker_run = await self._log.now()

    async def _take(self, most: int, wait_seconds: float) -> _Records:
        """At most `most` messages of what is fetched, by turns of the partition that is furthest behind.

        aiokafka empties one partition before the next. After an outage who reads what is made of them would see the
        whole of it in the first one, take its end for the present, and all of the others for late.
        """
        first = await self._client.getmany(timeout_ms=int(wait_seconds * 1000), max_records=1)
        taken = {partition: list(found) for partition, found in first.items()}
        # Nothing is waited for from here on, so no rebalance comes between.
        turns = [(self._taken_ms.get(each, 0), each) for each in self._client.assignment()] if taken else []
        heapify(turns)
        left = most - len(taken)
        while turns and left:
            _, partition = heappop(turns)
            try:
                found = (await self._client.getmany(partition, max_records=min(left, most // TURNS + 1))).get(partition)
            except KafkaError:
                break  # aiokafka raises it again when it fetches again; what is taken is handled first
            if found:
                taken.setdefault(partition, []).extend(found)
                left -= len(found)
                self._taken_ms[partition] = found[-1].timestamp
                heappush(turns, (found[-1].timestamp, partition))
        return taken

    async def _linger(self, records: _Records, most: int, linger_seconds: float) -> tuple[_Records, int]:
        """As many messages as come in time, and their epoch.

        Over a rebalance aiokafka waits for the new partitions and gives messages of these: the first ones are void
        then, and come again, but those would not.
        """
        deadline, epoch = time.monotonic() + linger_seconds, self.epoch
        merged = {partition: list(found) for partition, found in records.items()}
        count = sum(map(len, merged.values()))
        while count < most and (left := deadline - time.monotonic()) > 0:
            more = await self._take(most - count, left + 0.001)
            if epoch != self.epoch:
                return more, self.epoch
            for partition, found in more.items():
                merged.setdefault(partition, []).extend(found)
                count += len(found)
        return merged, epoch

    def _within_bounds(self, records: _Records, epoch: int) -> _Records:
        """What a replay has to read; nothing more is fetched of a partition that is at its end."""
        cut = self._bounds.cut(records)
        if cut.reached and epoch == self.epoch:
            self._reached.update(cut.reached)
            self._client.pause(*(cut.reached.keys() & self._client.assignment()))
        return cut.records

    async def _verify_run(self) -> None:
        try:
            run = await self._log.now()
        except (KafkaError, OSError, TimeoutError):
            return  # asked again at the next fetch: nothing has changed where nothing answers
        if run != self.broker_run:
            metrics.BROKER_RUNS.labels(self.service).inc()
            raise NewBrokerRun(f"{self.broker_run} is now {run}")

    async def _count(self, records: _Records) -> None:
        for partition, found in records.items():
            metrics.CONSUMED.labels(self.service, self.short(partition)).inc(len(found))
        in_hand = sum(map(len, records.values()))
        if time.monotonic() - self._lag_at >= LAG_SECONDS:
            self._lag_at = time.monotonic()
            try:
                self._unread = await clusters.answer(self._measure())
            except (KafkaError, OSError, TimeoutError):
                log.warning("The lag of %s cannot be measured: Kafka does not answer", self.service)
                await self._wait_while_away()
        age = age_seconds((found[0].timestamp for found in records.values() if found), self._clock())
        self.lag = Lag(age, self._unread + in_hand)
        metrics.LAG_SECONDS.labels(self.service).set(age)
        self._progress.behind(self.lag.messages)
        if in_hand:
            self._progress.advance()

    async def _wait_while_away(self) -> None:
        if await clusters.is_away(self._kafka):
            self._progress.waited()

    async def _measure(self) -> int:
        lags: dict[Place, int] = {}
        unread, paused = 0, self._client.paused()  # a replay reads these no further
        for partition, end in (await ends_of_member(self._client)).items():
            position = await self._client.position(partition)
            committed = self._committed.get(partition, position)
            lags[self.short(partition), partition.partition] = max(0, end - committed)
            unread += 0 if partition in paused else max(0, end - position)
        self._told = tell(self.service, lags, self._told)
        return unread


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    async def on_partitions_revoked(self, _revoked: Any) -> None:
        await self._consumer.revoked()

    async def on_partitions_assigned(self, assigned: Any) -> None:
        self._consumer.assigned(len(assigned))
