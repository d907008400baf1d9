"""Brokers of one cluster on loopback: their settings, their folders, and the commands that run them."""

import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from services.embedded.kafka.jars import DEPLOY, KafkaMissingError

_FORMAT_SECONDS = 60
# Enough for tests and one machine's traffic, and all of it taken at once: what it costs shows from the start, and does
# not grow. The serial collector has no threads of its own to fight for two cores. Beside the heap, what the compiler
# has freed goes back to the system every ten seconds (unknown to Java before 17.0.9, which leaves it out).
_HEAP = "384m"
_MEMORY = (
    f"-Xms{_HEAP}", f"-Xmx{_HEAP}", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError",
    "-XX:+IgnoreUnrecognizedVMOptions", "-XX:TrimNativeHeapInterval=10000",
)  # fmt: skip


@dataclass(frozen=True)
class Node:
    """One broker and controller."""

    number: int
    port: int
    controller_port: int
    folder: Path

    @property
    def log(self) -> Path:
        """Where its messages lie."""
        return self.folder / "log"

    @property
    def settings(self) -> Path:
        """What it is told."""
        return self.folder / "server.properties"

    @property
    def output(self) -> Path:
        """Where whoever runs it may keep what it prints."""
        return self.folder / "output.log"


@dataclass(frozen=True)
class Cluster:
    """Nodes that form one cluster; its id, kept in `folder`, is the name of the log for as long as the log is there."""

    folder: Path
    nodes: tuple[Node, ...]
    java: str
    jars: Path

    @classmethod
    def of(cls, folder: Path, ports: Sequence[tuple[int, int]], *, java: str, jars: Path) -> "Cluster":
        """One node for each pair of ports: for clients, and for the controllers among themselves."""
        nodes = tuple(
            Node(number, port, controller, folder / f"node{number}")
            for number, (port, controller) in enumerate(ports, start=1)
        )
        return cls(folder, nodes, java, jars)

    @property
    def bootstrap(self) -> str:
        """The addresses for clients."""
        return ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    @property
    def id(self) -> str:
        """The cluster id, made at first use."""
        file = self.folder / "cluster-id"
        if not file.exists():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = file.with_suffix(".tmp")
            fresh.write_text(urlsafe_b64encode(uuid4().bytes).decode().rstrip("="))
            fresh.replace(file)  # in one step: half an id would be the log's name for good
        return file.read_text().strip()

    def prepare(self) -> None:
        """Write what each node is told, and format the logs that are new; what is there stays.

        Raises `KafkaMissingError` where a log cannot be formatted.
        """
        for node in self.nodes:
            node.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            node.settings.write_text("".join(f"{name}={value}\n" for name, value in self.properties(node).items()))
            if not (node.log / "meta.properties").exists():
                self._format(node)

    def command(self, node: Node) -> list[str]:
        """What runs a node in the foreground, until SIGTERM."""
        return self._java("kafka.Kafka", str(node.settings))

    def properties(self, node: Node) -> dict[str, str]:
        """The settings of a node: those that every broker of ours has, and its own."""
        copies = min(3, len(self.nodes))
        own = {
            "node.id": node.number,
            "controller.quorum.voters": ",".join(f"{n.number}@127.0.0.1:{n.controller_port}" for n in self.nodes),
            "listeners": f"PLAINTEXT://127.0.0.1:{node.port},CONTROLLER://127.0.0.1:{node.controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{node.port}",
            "log.dirs": node.log,
            "default.replication.factor": copies,
            "min.insync.replicas": max(1, copies - 1),
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": max(1, copies - 1),
        }
        return {**common(), **{name: str(value) for name, value in own.items()}}

    def _format(self, node: Node) -> None:
        # Written with `=`: an id may begin with a dash, and would be taken for an option.
        told = ("format", f"--cluster-id={self.id}", f"--config={node.settings}")
        command = self._java("kafka.tools.StorageTool", *told)
        try:
            ran = subprocess.run(command, capture_output=True, text=True, timeout=_FORMAT_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise KafkaMissingError(f"{node.log} was not formatted within {_FORMAT_SECONDS} s: try again") from None
        if ran.returncode:
            raise KafkaMissingError(f"{node.log} could not be formatted: {(ran.stderr or ran.stdout).strip()[-500:]}")

    def _java(self, program: str, *arguments: str) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={DEPLOY / 'log4j2.properties'}"
        return [self.java, *_MEMORY, logging, "-cp", f"{self.jars}/*", program, *arguments]


def common() -> Mapping[str, str]:
    """The settings that every broker of ours has."""
    lines = (DEPLOY / "broker.properties").read_text().splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}
