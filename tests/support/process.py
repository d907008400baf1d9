"""Runs a runtime in the test's own event loop, on a real broker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from services.shared.kafka import Kafka
from services.shared.process import Process, Runtime
from services.shared.settings import ServiceSettings


class Settings(ServiceSettings, env_prefix="TIDEMARK_LATENCY_"):
    """The runtime's settings; any service's prefix will do."""


def a_process(kafka: Kafka, data: Path, **settings) -> Process:
    """A process on this broker, with its files under `data`."""
    given = {"kafka_bootstrap": kafka.bootstrap, "kafka_prefix": kafka.prefix, "data": data}
    return Process(Settings(**{**given, **settings}))


@contextlib.asynccontextmanager
async def running(runtime: Runtime, process: Process) -> AsyncIterator[asyncio.Task]:
    """The runtime as a task; stopped gracefully at the end, its errors raised."""
    task = asyncio.create_task(runtime.run(process))
    try:
        yield task
    finally:
        process.stopping.set()
        await asyncio.wait_for(task, 30)
