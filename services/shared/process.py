"""What a runtime is given by the process that it runs in."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from services.shared.health import Health
from services.shared.kafka import Kafka
from services.shared.settings import ServiceSettings
from services.shared.watchdog import Progress


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


@dataclass
class Process:
    """The settings, the wish to stop, and where to say how it goes."""

    config: ServiceSettings
    health: Health = field(default_factory=Health)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    clock: Callable[[], datetime] = utc_now
    progress: list[Progress] = field(default_factory=list)

    @property
    def kafka(self) -> Kafka:
        """The cluster."""
        return Kafka.of(self.config)

    def watched(self, name: str) -> Progress:
        """A record of progress that the watchdog looks at."""
        progress = Progress(name)
        self.progress.append(progress)
        return progress

    async def stopped_within(self, seconds: float) -> bool:
        """Sleep, unless the process is to stop; whether it is."""
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True


class Runtime(Protocol):
    """Something that runs for as long as the process: a Pipeline, a View, the publishing of an outbox."""

    name: str

    async def run(self, process: Process) -> None:
        """Work until `process.stopping` is set, then finish what is begun and return.

        A return before that, or an error, ends the process: nothing may stand still unseen.
        """
