"""Where Kafka is, what topics are called there, and which life of its log this is."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import aiokafka.admin.client
import aiokafka.client
import aiokafka.consumer.consumer
import aiokafka.consumer.fetcher
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import collect_hosts
from aiokafka.consumer.fetcher import Fetcher, OffsetResetStrategy
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import (
    IllegalGenerationError,
    KafkaError,
    NoError,
    RequestTimedOutError,
    UnknownMemberIdError,
    for_code,
)
from aiokafka.protocol.group import LeaveGroupRequest
from aiokafka.protocol.metadata import MetadataRequest

from services.shared.fetched import AnyPartitionRecords, AnyRecords
from services.shared.gaps import AGAIN_SECONDS, Fetch, Gaps
from services.shared.settings import ServiceSettings, SharedSettings
from services.shared.topic_settings import is_embedded

log = logging.getLogger(__name__)

Asking = partial(MetadataRequest, allow_auto_topic_creation=False)


def ask_without_creating() -> None:
    """Make every aiokafka client of this process, Faust's too, ask for topics without having the broker make them.

    aiokafka has no option for it, and a broker that has just started makes a topic that is asked for with another
    number of partitions than the declared one. Called when this module is imported, which every client of ours needs.
    """
    for module in (aiokafka.client, aiokafka.admin.client):
        if module.MetadataRequest not in (MetadataRequest, Asking):
            raise ImportError(f"{module.__name__} is another one than this was written for")
        module.MetadataRequest = Asking


ask_without_creating()


class _Fetcher(Fetcher):  # type: ignore[misc]
    """One that ends in order while a fetch that failed waits to be tried again.

    aiokafka's lets the cancellation of that fetch out of `stop`, where it reads as the caller's own, and the
    connections stay open. On the embedded broker it waits at gaps, and a log begins at 0: that broker deletes nothing,
    and names the second batch while the first one is not shown.
    """

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self._gaps, self._embedded = Gaps(), False

    async def _proc_offset_request(self, node: int, asked: Mapping[str, Sequence[tuple[int, int]]]) -> dict[Any, Any]:
        found: dict[Any, Any] = await super()._proc_offset_request(node, asked)
        beginnings = {
            TopicPartition(topic, partition): (0, moment)
            for topic, partitions in asked.items()
            for partition, moment in partitions
            if moment == OffsetResetStrategy.EARLIEST
        }
        if beginnings and await is_embedded(self._client):
            found |= {place: begin for place, begin in beginnings.items() if place in found}
        return found

    async def _fetch_requests_routine(self) -> None:
        while True:
            with suppress(KafkaError, OSError, TimeoutError):
                self._embedded = await is_embedded(self._client)
                break
            await asyncio.sleep(self._retry_backoff)
        await super()._fetch_requests_routine()

    async def _proc_fetch_request(self, assignment: Any, node: int, request: Any) -> bool:
        waited_for = self._embedded and any(
            self._gaps.waits(TopicPartition(topic, partition), offset)
            for topic, partitions in request.topics
            for partition, offset, _ in partitions
        )
        try:
            if waited_for:
                await asyncio.sleep(AGAIN_SECONDS)  # the broker has something, and would answer again and again
            asked_seconds = time.monotonic()
            wakes = bool(await super()._proc_fetch_request(assignment, node, request))
        except asyncio.CancelledError:
            return False
        if self._embedded:
            self._wait_at_gaps(Fetch(asked_seconds, time.monotonic()))
        return wakes

    def _wait_at_gaps(self, fetch: Fetch) -> None:
        for result in self._records.values():
            records = getattr(result, "_partition_records", None)  # an error has none, nor what was taken whole
            if records is not None and records.gaps is None:
                records.gaps, records.fetch = self._gaps, fetch


aiokafka.consumer.consumer.Fetcher = _Fetcher
aiokafka.consumer.fetcher.MemoryRecords = AnyRecords
aiokafka.consumer.fetcher.PartitionRecords = AnyPartitionRecords


class _Coordinator(GroupCoordinator):  # type: ignore[misc]
    """One that commits nothing in a group that it was put out of, nor offsets of a log in another log.

    It leaves also in generation 0, the first one of the embedded broker, and `left` says whether the broker agreed.
    aiokafka's forgets its generation when the broker no longer knows the member, and a broker takes a commit without
    one for a group that has no members: right after the start of an empty log, that of what was read from the old one.
    """

    def __init__(self, client: AIOKafkaClient, *given: Any, **options: Any) -> None:
        super().__init__(client, *given, **options)
        self._log, self._run, self.left = BrokerRun(client), "", False

    async def _maybe_leave_group(self) -> None:
        if self.generation >= 0 and self._group_instance_id is None:
            try:
                response = await self._send_req(LeaveGroupRequest(self.group_id, self.member_id))
            except KafkaError as error:
                log.warning("Leaving the group %s failed: %r; it notices by itself", self.group_id, error)
            else:
                self.left = for_code(response.error_code) in {NoError, UnknownMemberIdError}
        self.reset_generation()

    async def _do_rejoin_group(self, subscription: Any) -> bool:
        if not self._run:
            try:
                self._run = await self._log.now()
            except (KafkaError, OSError, TimeoutError):
                await asyncio.sleep(self._retry_backoff_ms / 1000)
                return False
        return bool(await super()._do_rejoin_group(subscription))

    async def _do_commit_offsets(self, assignment: Any, offsets: Any) -> None:
        if self._subscription.partitions_auto_assigned():
            try:
                now = await self._log.now()
            except (OSError, TimeoutError) as error:
                raise RequestTimedOutError(repr(error)) from error  # which aiokafka tries again
            if now != self._run or self.generation < 0:
                raise IllegalGenerationError(self.group_id)
        await super()._do_commit_offsets(assignment, offsets)


aiokafka.consumer.consumer.GroupCoordinator = _Coordinator

T = TypeVar("T")

ANSWER_SECONDS = 10.0
CONNECT_SECONDS = 2.0
LARGEST_MESSAGE_BYTES = 8 * 1024 * 1024  # a call of 4 MiB, as a dead letter in base64, with room


@dataclass(frozen=True)
class Kafka:
    """One cluster, seen under one prefix."""

    bootstrap: str
    prefix: str = ""
    heartbeat_seconds: float = 0.3
    session_seconds: float = 6.0

    @classmethod
    def of(cls, config: SharedSettings) -> "Kafka":
        """The cluster that a process is told of."""
        kafka = cls(config.kafka_bootstrap, config.kafka_prefix)
        if isinstance(config, ServiceSettings):
            return cls(kafka.bootstrap, kafka.prefix, config.heartbeat_seconds, config.session_seconds)
        return kafka

    @property
    def request_seconds(self) -> float:
        """How long a member waits for an answer: to join takes as long as the slowest of its group."""
        return max(40.0, self.session_seconds + 10.0)

    def full(self, topic: str) -> str:
        """The name on the broker."""
        return f"{self.prefix}{topic}"

    def short(self, name: str) -> str:
        """The name in `schemas.topics`."""
        return name.removeprefix(self.prefix)

    def admin(self) -> AIOKafkaAdminClient:
        """A client that makes and describes topics; not started."""
        return AIOKafkaAdminClient(bootstrap_servers=self.bootstrap, request_timeout_ms=10_000)


async def answer(awaited: Awaitable[T], seconds: float = ANSWER_SECONDS) -> T:
    """The result, or TimeoutError. (Python 3.11's `wait_for` loses a cancellation that comes with the result.)"""
    async with asyncio.timeout(seconds):
        return await awaited


async def broker_run(client: AIOKafkaClient) -> str:
    """The Kafka cluster id: another one is another log, whose offsets mean something else."""
    response: Any = await answer(client.send(client.get_random_node(), MetadataRequest([])))
    return str(response.cluster_id)


async def is_away(kafka: Kafka) -> bool:
    """Whether no broker that is configured accepts a connection.

    It tells an outage, which is waited for, from a client of ours that hangs, which the watchdog has to end.
    """
    for host, port, _ in collect_hosts(kafka.bootstrap, randomize=False):
        try:
            _, writer = await answer(asyncio.open_connection(host, port), CONNECT_SECONDS)
        except (OSError, TimeoutError, UnicodeError):  # the last for what can be no host's name
            continue
        writer.close()
        return False
    return True


class BrokerRun:
    """The broker run that a client talks to, asked again where a connection is another one than before."""

    def __init__(self, client: AIOKafkaClient) -> None:
        self._client, self._run = client, ""
        self._verified: tuple[object, ...] = ()

    async def now(self) -> str:
        """The run; raises `KafkaError`, `OSError` or `TimeoutError` where nobody answers."""
        found = connections(self._client)
        # Where there is no connection, the next one may be to another log.
        if not found or [id(each) for each in found] != [id(each) for each in self._verified]:
            self._run = await broker_run(self._client)
            self._verified = found
        return self._run


def connections(client: AIOKafkaClient) -> tuple[object, ...]:
    """What the client talks through: a connection cannot outlive the broker's process, so while they are the same

    objects, so is the log. Compare by identity.
    """
    return tuple(each for each in client._conns.values() if each.connected())


async def stopped(client: Any, timeout_seconds: float = 10.0) -> None:
    """Stop a consumer or producer, whatever comes of it.

    aiokafka lets the cancellation of its own tasks pass out of `stop`, where it would read as the caller's own.
    """
    stopping = asyncio.ensure_future(client.stop())
    await asyncio.wait([stopping], timeout=timeout_seconds)
    if not stopping.done():
        stopping.cancel()
    elif not stopping.cancelled() and (error := stopping.exception()):
        log.warning("A connection to Kafka did not end in order: %r", error)
