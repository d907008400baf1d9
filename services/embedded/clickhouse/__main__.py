"""Serves the engine: `python -m services.embedded.clickhouse`."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from services.embedded.clickhouse.app import application
from services.embedded.clickhouse.engine import LIMITS, READ_ONLY_LIMITS, Connection
from services.embedded.config import Config
from services.embedded.services import Ports

HOST = "127.0.0.1"


class _Server(uvicorn.Server):
    """One of two servers in a process: signals are handled once, for both."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the signals alone."""
        yield


async def serve(path: Path, ports: Ports) -> None:
    """Serves both ports until SIGTERM or SIGINT, then finishes what runs."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    writing = Connection(path, LIMITS, read_only=False)
    reading = Connection(path, READ_ONLY_LIMITS, read_only=True)
    servers = [
        _Server(_config(writing, ports.clickhouse)),
        _Server(_config(reading, ports.clickhouse_readonly)),
    ]
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, servers)
    try:
        await asyncio.gather(*(server.serve() for server in servers))
    finally:
        reading.close()
        writing.close()


def _config(connection: Connection, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        application(connection), host=HOST, port=port, log_level="warning", access_log=False, lifespan="off"
    )


def _stop(servers: list[_Server]) -> None:
    for server in servers:
        server.should_exit = True


if __name__ == "__main__":
    config = Config()
    asyncio.run(serve(config.data / "clickhouse", Ports(config.port_base)))
