"""Apache Kafka for a test: `Apache` has the interface of `Tansu`, on a log that outlives its process."""

import json
import shutil
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path

import pytest

from services.embedded.child import dies_with_parent
from services.embedded.kafka.cluster import Cluster, Node
from services.embedded.kafka.jars import JARS, KafkaMissingError, fetch
from services.embedded.kafka.java import java
from tests.support.broker import lasting_port, listens

READY_SECONDS, FETCH_SECONDS = 90, 200


@cache
def missing() -> str:
    """What keeps Apache Kafka from running here, with its remedy; empty where it can. Brings the jars, once."""
    try:
        java()
        fetch(seconds=FETCH_SECONDS)
    except KafkaMissingError as error:
        return str(error)
    return ""


def skip_where_missing() -> None:
    """Skip the test, and say why, where Apache Kafka cannot be had."""
    if missing():
        pytest.skip(missing())


class Apache:
    """One broker, or three that copy each other (copies 3, in sync 2), on free ports of loopback.

    `bootstrap` and `run` (the cluster id) stay the same over `kill` and `start`; `start` starts what does not run, so
    it also brings back the one of three that was killed. `settings` are the brokers', with `_` for each dot. Skips the
    test where Java or the jars cannot be had.
    """

    def __init__(self, brokers: int = 1, **settings: str) -> None:
        skip_where_missing()
        self._settings = settings
        self._folder = tempfile.TemporaryDirectory(prefix="kafka")
        ports = [(lasting_port(), lasting_port()) for _ in range(brokers)]
        self.cluster = Cluster.of(Path(self._folder.name), ports, java=java(), jars=JARS)
        self._prepare()
        self.bootstrap = self.cluster.bootstrap
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def run(self) -> str:
        """The cluster id, which is the name of the log."""
        return self.cluster.id

    def start(self) -> None:
        """Start what does not run, and wait until it listens."""
        fresh = [node for node in self.cluster.nodes if not self._lives(node)]
        for node in fresh:
            with node.output.open("ab") as output:
                self._processes[node.number] = subprocess.Popen(
                    self.cluster.command(node), stdout=output, stderr=output, preexec_fn=dies_with_parent()
                )
        deadline = time.monotonic() + READY_SECONDS
        while not all(listens(node.port) for node in fresh):
            assert all(self._lives(node) for node in fresh), self._said(fresh)
            assert time.monotonic() < deadline, self._said(fresh)
            time.sleep(0.05)

    @property
    def controller(self) -> int:
        """The number of the broker that is the active controller, as those that run have it on disk."""
        states = [
            json.loads((node.log / "__cluster_metadata-0" / "quorum-state").read_text())
            for node in self.cluster.nodes
            if self._lives(node)
        ]
        return int(max(states, key=lambda state: state["leaderEpoch"])["leaderId"])

    def pid(self, number: int = 1) -> int:
        """The process of the broker of that number, for signals of the test's own."""
        return self._processes[number].pid

    def kill(self, number: int | None = None) -> None:
        """End all, or the one of that number, as SIGKILL does."""
        chosen = self._processes.values() if number is None else [self._processes[number]]
        for process in chosen:
            process.kill()
            process.wait()

    def restart_empty(self) -> None:
        """Kill it and start one with an empty log, and so another run, on the same ports."""
        self.kill()
        for path in self.cluster.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self._prepare()
        self.start()

    def stop(self) -> None:
        """End it and remove its log."""
        self.kill()
        self._folder.cleanup()

    def _prepare(self) -> None:
        self.cluster.prepare()
        for node in self.cluster.nodes:
            with node.settings.open("a") as file:  # of two lines for one setting the last counts
                file.writelines(f"{name.replace('_', '.')}={value}\n" for name, value in self._settings.items())

    def _lives(self, node: Node) -> bool:
        process = self._processes.get(node.number)
        return process is not None and process.poll() is None

    def _said(self, nodes: list[Node]) -> str:
        return "\n".join(f"broker {node.number}: {node.output.read_text()[-2000:]}" for node in nodes)
