"""A supervisor whose services are small programs: real processes, real broker, nothing else."""

import asyncio
import random
import sys
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from services.embedded.broker import BrokerError
from services.embedded.config import Config
from services.embedded.occupants import taken
from services.embedded.plan import plan
from services.embedded.services import Ports
from services.embedded.supervisor import Supervisor

PROGRAM = Path(__file__).parent / "programs" / "answering.py"


class Prepared:
    """Counts what was asked of it; `failures` brokers to come do not take their topics."""

    def __init__(self):
        self.brokers, self.databases, self.failures = 0, 0, 0

    async def broker(self, port):
        self.brokers += 1
        if self.failures:
            self.failures -= 1
            raise BrokerError("the topics could not be applied")

    async def clickhouse(self):
        self.databases += 1


def free_base():
    while taken(Ports(base := random.randrange(20_000, 60_000, 20)).all()):
        continue
    return base


def planned(folder, environment=None, *, words=()):
    base = free_base()
    outside = {
        "TIDEMARK_DATA": str(folder / "data"),
        "TIDEMARK_EMBEDDED_PORT_BASE": str(base),
        "TIDEMARK_EMBEDDED_DRAIN_SECONDS": "0",
        "TIDEMARK_EMBEDDED_STOP_SECONDS": "2",
        **(environment or {}),
    }
    made = plan(Config.model_validate(_fields(outside)), {**outside, "PATH": "/usr/bin:/bin"})

    def answering(launch):
        return replace(launch, command=(sys.executable, str(PROGRAM), str(launch.port), *words))

    return replace(
        made, clickhouse=answering(made.clickhouse), launches=tuple(answering(launch) for launch in made.launches)
    )


def _fields(outside):
    own = {name.removeprefix("TIDEMARK_EMBEDDED_").lower(): value for name, value in outside.items()}
    return {name if not name.startswith("tidemark_") else name.upper(): value for name, value in own.items()}


@asynccontextmanager
async def running(plan, told=None):
    """A supervisor that has started everything; stopped in order on leaving."""
    supervisor = Supervisor(plan, prepared := Prepared(), (told if told is not None else []).append)
    run = asyncio.create_task(supervisor.run())
    complete = asyncio.create_task(supervisor.complete.wait())
    await asyncio.wait([run, complete], return_when=asyncio.FIRST_COMPLETED)
    complete.cancel()
    if run.done():
        run.result()
    supervisor.prepared = prepared
    try:
        yield supervisor
    finally:
        supervisor.stop()
        await run


async def until(condition, seconds=20.0):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)
