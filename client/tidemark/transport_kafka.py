"""Straight to Kafka, without the gateway: for applications that have the brokers near and the tenant's trust.

Durable as the topic is: on replicated brokers an acknowledged call is safe, on the embedded broker, whose log lives in
memory, it is not. Nothing is redacted, limited or stamped on the way, and drop counts do not travel.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
from threading import Thread
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, UnknownError

from tidemark.reports import Reports
from tidemark.transport import CALLS, RETRY, STORED, Item, Unavailable, Verdict

if TYPE_CHECKING:
    from tidemark.settings import Settings

LARGEST_MESSAGE_BYTES = 4 * 2**20
TOPICS = {CALLS: "calls.v1", "feedback": "feedback.v1"}


class KafkaTransport:
    """An idempotent producer on an event loop of its own; an event is stored when all replicas in sync have it.

    A producer that failed in any way is thrown away: after an expired batch every later one of the same producer
    would fail for its sequence number. What was not confirmed is sent again by the next.
    """

    def __init__(self, bootstrap: str, *, prefix: str, tenant: str, timeout_seconds: float) -> None:
        self._bootstrap, self._prefix, self._tenant = bootstrap, prefix, tenant
        self._timeout_seconds = timeout_seconds
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="tidemark-kafka", daemon=True)
        self._producer: Any = None
        self._idempotent = True
        self._under_way: concurrent.futures.Future[list[Verdict]] | None = None
        self._thread.start()

    def send(self, items: list[Item], *, dropped: int) -> list[Verdict]:  # noqa: ARG002  (nobody to tell)
        """As `Transport.send`: never `Indigestible`, since Kafka judges every message alone."""
        self._under_way = asyncio.run_coroutine_threadsafe(self._send(items), self._loop)
        try:
            return self._under_way.result(3 * self._timeout_seconds)
        except (KafkaError, OSError, TimeoutError, concurrent.futures.CancelledError) as error:
            asyncio.run_coroutine_threadsafe(self._discard(), self._loop)
            raise Unavailable(f"{type(error).__name__}: {error}") from error

    async def _send(self, items: list[Item]) -> list[Verdict]:
        if self._producer is None:
            await self._connect()
        confirmations = [await self._hand_over(item) for item in items]
        waiting = [confirmation for confirmation in confirmations if isinstance(confirmation, asyncio.Future)]
        if waiting:
            await asyncio.wait(waiting, timeout=self._timeout_seconds)
        verdicts = [_verdict(confirmation) for confirmation in confirmations]
        if RETRY in verdicts:
            await self._discard()
        return verdicts

    async def _connect(self) -> None:
        """Brokers that know no idempotent producers (the embedded one) get a plain one: repeats are harmless anyway."""
        try:
            self._producer = await self._started(idempotent=self._idempotent)
        except UnknownError:
            self._idempotent = False
            self._producer = await self._started(idempotent=False)

    async def _started(self, *, idempotent: bool) -> Any:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            client_id="tidemark-client",
            enable_idempotence=idempotent,
            acks="all",
            max_request_size=LARGEST_MESSAGE_BYTES,
            request_timeout_ms=int(self._timeout_seconds * 1000),
        )
        _ask_without_creating(producer)
        try:
            await asyncio.wait_for(producer.start(), self._timeout_seconds)
        except BaseException:
            await _stop(producer)
            raise
        return producer

    async def _hand_over(self, item: Item) -> asyncio.Future[Any] | Verdict:
        """`send` waits for ever where no broker answers, so it is not left alone."""
        key, value = message(item, self._tenant)
        sending = self._producer.send(f"{self._prefix}{TOPICS[item.kind]}", value, key=key)
        try:
            confirmation: asyncio.Future[Any] = await asyncio.wait_for(sending, self._timeout_seconds)
        except MessageSizeTooLargeError:
            return Verdict("rejected", "call", f"has {len(value)} bytes", f"send at most {LARGEST_MESSAGE_BYTES}")
        return confirmation

    async def _discard(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stop(producer)

    def abort(self) -> None:
        """As `Transport.abort`."""
        if self._under_way is not None:
            self._under_way.cancel()

    def close(self) -> None:
        """As `Transport.close`."""
        asyncio.run_coroutine_threadsafe(self._discard(), self._loop).result(2 * self._timeout_seconds)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(self._timeout_seconds)
        self._loop.close()


def connect(settings: Settings, reports: Reports | None = None) -> KafkaTransport:
    """The transport to the brokers that the settings name; connects with the first batch."""
    (reports or Reports()).warn(
        "kafka",
        "Calls go straight to Kafka at %s: acknowledged is as durable as the topic, on the embedded broker not at all.",
        settings.kafka_bootstrap,
    )
    return KafkaTransport(
        settings.kafka_bootstrap,
        prefix=settings.kafka_prefix,
        tenant=settings.tenant,
        timeout_seconds=settings.request_seconds,
    )


def message(item: Item, tenant: str) -> tuple[bytes, bytes]:
    """Key and value of an event: the calls of a trace keep their order, and so does what is said of a call."""
    event = json.loads(item.payload)
    about = event.get("trace_id") or event["call_id"] if item.kind == CALLS else event["call_id"]
    value = b'{"tenant":' + json.dumps(tenant).encode() + b"," + item.payload[1:]
    return f"{tenant}|{about}".encode(), value


def _verdict(confirmation: asyncio.Future[Any] | Verdict) -> Verdict:
    if isinstance(confirmation, Verdict):
        return confirmation
    if confirmation.done() and not confirmation.cancelled() and confirmation.exception() is None:
        return STORED
    return RETRY


def _ask_without_creating(producer: Any) -> None:
    """Have it ask for all topics: one that is asked for by name is made by many brokers, with partitions of their own.

    aiokafka has no option for it; other producers of the application are left as they are.
    """
    update = producer.client._metadata_update

    async def update_all(cluster: Any, _topics: Any) -> bool:
        found: bool = await update(cluster, ())
        return found

    producer.client._metadata_update = update_all


async def _stop(producer: Any) -> None:
    try:
        await asyncio.wait_for(producer.stop(), 2.0)
    except (KafkaError, OSError, TimeoutError):
        return  # it is thrown away either way
