"""Apache Kafka for a test: real, on free ports, on a log that outlives its process."""

import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from services.embedded.kafka.cluster import Cluster, Node
from services.embedded.kafka.jars import KafkaMissingError, fetch
from services.embedded.kafka.java import java
from tests.support.broker import free_port, listens

READY_SECONDS = 90


class Apache:
    """One broker, or three that copy each other; skips the test where Java or the jars cannot be had."""

    def __init__(self, brokers: int = 1) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="kafka")
        ports = [(free_port(), free_port()) for _ in range(brokers)]
        try:
            self.cluster = Cluster.of(Path(self._folder.name), ports, java=java(), jars=fetch())
            self.cluster.prepare()
        except KafkaMissingError as error:
            pytest.skip(str(error))
        self.bootstrap = self.cluster.bootstrap
        self.run = self.cluster.id
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start what does not run, and wait until it listens."""
        fresh = [node for node in self.cluster.nodes if not self._lives(node)]
        for node in fresh:
            with (node.folder / "out").open("ab") as out:
                self._processes[node.number] = subprocess.Popen(
                    self.cluster.command(node), stdout=out, stderr=subprocess.STDOUT
                )
        deadline = time.monotonic() + READY_SECONDS
        while not all(listens(node.port) for node in fresh):
            assert all(self._lives(node) for node in fresh), "a broker ended"
            assert time.monotonic() < deadline, "a broker does not listen"
            time.sleep(0.05)

    def kill(self, number: int | None = None) -> None:
        """End all, or the one of that number, as SIGKILL does."""
        chosen = self._processes.values() if number is None else [self._processes[number]]
        for process in chosen:
            process.kill()
            process.wait()

    def stop(self) -> None:
        """End it and remove its log."""
        self.kill()
        self._folder.cleanup()

    def _lives(self, node: Node) -> bool:
        process = self._processes.get(node.number)
        return process is not None and process.poll() is None
