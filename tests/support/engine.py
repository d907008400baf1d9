"""The embedded ClickHouse as a real process, for tests."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from services.embedded.services import Ports


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


def free_base() -> int:
    """A port base whose first ten ports are free; below those that the system gives to outgoing connections."""
    while True:
        base = random.randrange(10_000, 32_000, 40)
        if all(_is_free(base + offset) for offset in range(10)):
            return base


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
