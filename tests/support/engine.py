"""The embedded ClickHouse as a real process, for tests."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import clickhouse_connect
import httpx
from clickhouse_connect.driver.client import Client

from schemas import clickhouse
from schemas.messages import Message
from schemas.topics import Topic
from services.embedded.services import Ports
from services.shared.sink import Batch, Record
from services.writer.store import Store


@dataclass
class Engine:
    """One engine on ports of its own; `kill` is SIGKILL, `start` begins again with the same data."""

    data: Path
    ports: Ports = field(default_factory=lambda: Ports(free_base()))
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Read and write."""
        return f"http://127.0.0.1:{self.ports.clickhouse}"

    @property
    def read_only_url(self) -> str:
        """Read only."""
        return f"http://127.0.0.1:{self.ports.clickhouse_readonly}"

    def client(self, database: str = "tidemark") -> Client:
        """A connection."""
        return clickhouse_connect.get_client(host="127.0.0.1", port=self.ports.clickhouse, database=database)

    def start(self) -> None:
        """Starts it and waits until it answers."""
        told = {"TIDEMARK_DATA": str(self.data), "TIDEMARK_EMBEDDED_PORT_BASE": str(self.ports.base)}
        command = [sys.executable, "-m", "services.embedded.clickhouse"]
        self.process = subprocess.Popen(command, env={**os.environ, **told})
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/ping").text == "Ok.\n":
                    return
            except httpx.HTTPError:
                time.sleep(0.05)
        raise TimeoutError("the engine did not start")

    def kill(self) -> None:
        """As a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As the supervisor does."""
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(30)
            self.process = None


@contextmanager
def running(data: Path) -> Iterator[Engine]:
    """An engine for the length of a block."""
    engine = Engine(data)
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()


@contextmanager
def with_tables(data: Path) -> Iterator[Engine]:
    """The same, with every table and view."""
    with running(data) as engine:
        clickhouse.apply(engine.client("default"), clickhouse.Names())
        yield engine


def store(client: Client, topic: Topic, messages: Sequence[Message], first: int = 0) -> None:
    """Store messages as the writer does, as if they stood on a partition of their topic, from offset `first` on."""
    records = [Record(message, topic.name, 0, offset, "run", 0) for offset, message in enumerate(messages, first)]
    last = first + len(records) - 1
    batch = Batch(topic=topic, partition=0, broker_run="run", first_offset=first, last_offset=last, records=records)
    Store(lambda: client, lambda: datetime.now(UTC)).write(topic, [batch])


def free_base() -> int:
    """A port base whose first ten ports are free; below those that the system gives to outgoing connections."""
    while True:
        base = random.randrange(10_000, 32_000, 40)
        if all(_is_free(base + offset) for offset in range(10)):
            return base


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
