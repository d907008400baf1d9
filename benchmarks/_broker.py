"""The broker of a benchmark, embedded or Apache Kafka, on a free port, with an empty log."""

import asyncio
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from schemas.ids import uuid7
from schemas.messages import Call
from schemas.topics import CALLS, SCORES
from services.embedded.broker import InMemory
from services.embedded.kafka.cluster import Cluster
from services.embedded.kafka.jars import fetch
from services.embedded.kafka.java import java
from services.shared.kafka import Kafka
from services.shared.producer import Producer, Writes
from services.shared.topics import apply

TEXT = "The harbour office sells the tide tables, which are printed every spring. "
CHUNK = 2000
BROKERS = ("tansu", "kafka")
READY_SECONDS = 60


@contextmanager
def broker(kind: str = "tansu") -> Iterator[Kafka]:
    """A broker for the length of a block; TimeoutError where it does not listen, KafkaMissingError without Java."""
    with tempfile.TemporaryDirectory() as folder:
        port, controller = _free_port(), _free_port()
        command = _apache(Path(folder), port, controller) if kind == "kafka" else InMemory(port).prepare().command
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait(port)
            yield Kafka(f"127.0.0.1:{port}")
        finally:
            running.kill()
            running.wait()


def _apache(folder: Path, port: int, controller: int) -> list[str]:
    cluster = Cluster.of(folder, [(port, controller)], java=java(), jars=fetch())
    cluster.prepare()
    return cluster.command(cluster.nodes[0])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"no broker on port {port}")


def calls(count: int) -> list[Call]:
    """Calls of about 2 KB as they lie on the topic."""
    now = datetime.now(UTC)
    return [
        Call(
            call_id=uuid7(), tenant="t", app="bench", environment="test", version="v1", called_at=now,
            trace_id=f"{number:032x}", user_id=f"u{number % 97}", prompt=TEXT * 6, response=TEXT * 8, context=(),
            system_prompt=TEXT * 8, duration_seconds=0.5, time_to_first_token_seconds=0.1, cost_usd=0.001,
            groups={"region": "eu"}, tags={"page": "tides"},
        )
        for number in range(count)
    ]  # fmt: skip


def fill(kafka: Kafka, messages: Sequence[Call]) -> None:
    """Makes the topics and puts the calls there; returns when all are acknowledged."""
    asyncio.run(_fill(kafka, messages))


async def _fill(kafka: Kafka, messages: Sequence[Call]) -> None:
    await apply(kafka, (CALLS, SCORES))
    async with Producer(kafka) as producer:
        for at in range(0, len(messages), CHUNK):
            await producer.send(messages[at : at + CHUNK], Writes(CALLS))
