"""A real broker on a free port of this machine."""

import asyncio
import contextlib
import random
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from typing import Protocol
from uuid import uuid4

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from schemas.topics import Topic
from services.embedded.broker import InMemory
from services.embedded.child import dies_with_parent
from services.shared.ends import true_ends
from services.shared.kafka import Kafka
from services.shared.topics import apply, partitions

READY_SECONDS = 60


class Broker(Protocol):
    """What the tests need of a broker, whichever it is."""

    bootstrap: str
    run: str

    def start(self) -> None:
        """Start it and wait until it listens."""

    def kill(self) -> None:
        """End it at once, as SIGKILL does."""

    def restart_empty(self) -> None:
        """End it at once and start one with an empty log and another run at the same address."""

    def stop(self) -> None:
        """End it and clean up."""


# For a test of `mortal_broker` under tests/integration/shared that says something of both brokers.
on_both = pytest.mark.parametrize(
    "mortal_broker", ["tansu", pytest.param("kafka", marks=pytest.mark.kafka)], indirect=True
)


class Tansu:
    """The embedded broker: every start is an empty log with a cluster id of its own, on the same port."""

    def __init__(self, port: int | None = None) -> None:
        self.port = port or free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.run = ""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command, self.run = InMemory(self.port).prepare()
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=dies_with_parent()
        )
        deadline = time.monotonic() + READY_SECONDS
        while not listens(self.port):
            assert self._process.poll() is None, "the broker ended"
            assert time.monotonic() < deadline, "the broker does not listen"
            time.sleep(0.02)

    @property
    def pid(self) -> int:
        """The process, for signals of the test's own."""
        assert self._process is not None
        return self._process.pid

    @property
    def resident_bytes(self) -> int:
        """The memory that it takes."""
        return int(psutil.Process(self.pid).memory_info().rss)

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def restart_empty(self) -> None:
        self.kill()
        self.start()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def lasting_port() -> int:
    """A port that nobody listens on and that no outgoing connection is given while its owner is away.

    Who tries again and again to reach a port of that kind may at last be given it, and reaches himself.
    """
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", random.randrange(10_000, 32_000)))
            return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody listens there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    """A broker for the whole session: use a prefix of your own (`prefix`) for topics and groups."""
    started = Tansu()
    started.start()
    yield started
    started.stop()


@pytest.fixture
def mortal_broker() -> Iterator[Tansu]:
    """A broker of one test, which may kill it."""
    started = Tansu()
    started.start()
    yield started
    started.stop()


@pytest.fixture
def prefix() -> str:
    """A prefix that nobody else uses."""
    return f"t{uuid4().hex[:8]}."


@pytest.fixture
def kafka(broker: Broker, prefix: str) -> Kafka:
    """The session's broker under a prefix of the test's own."""
    return Kafka(broker.bootstrap, prefix)


async def declare(kafka: Kafka, *topics: Topic) -> None:
    """Make topics."""
    await apply(kafka, topics)


@contextlib.asynccontextmanager
async def producing(kafka: Kafka) -> AsyncIterator[AIOKafkaProducer]:
    """A plain producer, as a client has it."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all")
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def put(kafka: Kafka, topic: Topic, values: list[bytes], *, partition: int | None = 0, headers=()) -> None:
    """Send raw values, in order, and wait until all are acknowledged."""
    async with producing(kafka) as producer:
        futures = [
            await producer.send(kafka.full(topic.name), value, key=b"k", partition=partition, headers=list(headers))
            for value in values
        ]
        await asyncio.gather(*futures)


class BrokenName(str):
    """The name of a header as a producer in another language may write it: no UTF-8."""

    def encode(self, *_: str) -> bytes:
        return b"\xffname"


async def log_of(kafka: Kafka, topic: Topic) -> list:
    """Every message of a topic as it lies there, by partition and offset."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, enable_auto_commit=False)
    try:
        await consumer.start()
        places = await partitions(kafka, topic.name)
        ends = await true_ends(consumer, places)
        consumer.resume(*places)
        await consumer.seek_to_beginning(*places)
        found = []
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += records
        return sorted(found, key=lambda record: (record.partition, record.offset))
    finally:
        await consumer.stop()


async def committed(kafka: Kafka, topic: Topic, group: str) -> dict[int, int]:
    """The committed offset of each partition that has one."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, group_id=kafka.full(group), enable_auto_commit=False)
    try:
        await consumer.start()
        places = await partitions(kafka, topic.name)
        consumer.assign(places)
        offsets = {each.partition: await consumer.committed(each) for each in places}
        return {partition: offset for partition, offset in offsets.items() if offset is not None and offset >= 0}
    finally:
        await consumer.stop()


async def eventually(condition, seconds: float = 120.0):
    """The first true value of `condition` (plain or async); fails after `seconds`, which decide nothing else."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        found = await found if asyncio.iscoroutine(found) else found
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds} s: {condition}"
        await asyncio.sleep(0.05)
