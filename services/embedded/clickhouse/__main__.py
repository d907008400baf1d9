"""Serves the engine: `python -m services.embedded.clickhouse`."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from services.embedded.clickhouse.app import application
from services.embedded.clickhouse.engine import READING, WRITING, Engine, Limits
from services.embedded.config import Config
from services.embedded.services import Ports

HOST = "127.0.0.1"


class _Server(uvicorn.Server):
    """One of two servers in a process: signals are handled once, for both."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


async def serve(path: Path, ports: Ports) -> None:
    """Serve both ports until SIGTERM or SIGINT, then finish what runs."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = Engine(path)
    servers = [
        _Server(_config(engine, WRITING, ports.clickhouse, read_only=False)),
        _Server(_config(engine, READING, ports.clickhouse_readonly, read_only=True)),
    ]
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, servers)
    try:
        await asyncio.gather(*(server.serve() for server in servers))
    finally:
        engine.close()


def _config(engine: Engine, limits: Limits, port: int, *, read_only: bool) -> uvicorn.Config:
    app = application(engine, limits, read_only=read_only)
    return uvicorn.Config(app, host=HOST, port=port, log_level="warning", access_log=False, lifespan="off")


def _stop(servers: list[_Server]) -> None:
    for server in servers:
        server.should_exit = True


if __name__ == "__main__":
    config = Config()
    asyncio.run(serve(config.data / "clickhouse", Ports(config.port_base)))
