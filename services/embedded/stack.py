"""The parts of the stack in their order: started, held, drained and stopped."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import groupby

from services.embedded.part import Part
from services.embedded.services import Service

_LOOK_SECONDS = 0.05
_SETTLED = ("ready", "crash loop")


class Stack:
    """Services and their processes; `tell` is given one sentence an event."""

    def __init__(self, services: Sequence[Service], parts: Mapping[str, Part], tell: Callable[[str], None]) -> None:
        self.services = services
        self.parts = parts
        self._tell = tell

    async def start(self, ready_seconds: float) -> None:
        """Start what is not running, rank by rank, and wait until all are ready.

        Who is not ready in time does not stop the others.
        """
        for _, rank in groupby(sorted(self.services, key=lambda service: service.start), lambda service: service.start):
            chosen = list(rank)
            for service in chosen:
                self.parts[service.name].release()
            await asyncio.gather(*(self._begun(service, ready_seconds) for service in chosen))
        await asyncio.gather(*(self._settled(self.parts[service.name], ready_seconds) for service in self.services))

    async def hold(self, chosen: Callable[[Service], bool], grace_seconds: float) -> None:
        """End the chosen services and leave them ended."""
        await self._each(chosen, lambda part: part.hold(grace_seconds))

    async def stop(self, chosen: Callable[[Service], bool], grace_seconds: float) -> None:
        """End the chosen services for good."""
        await self._each(chosen, lambda part: part.stop(grace_seconds))

    async def _each(self, chosen: Callable[[Service], bool], act: Callable[[Part], Awaitable[None]]) -> None:
        await asyncio.gather(*(act(self.parts[service.name]) for service in self.services if chosen(service)))

    async def _begun(self, service: Service, seconds: float) -> None:
        """Wait until a service leaves the machine to the next one."""
        part = self.parts[service.name]
        await _until(lambda: part.state in _SETTLED or (part.answers and not service.heavy), seconds)

    async def _settled(self, part: Part, seconds: float) -> None:
        await _until(lambda: part.state in _SETTLED, seconds)
        if part.state != "ready":
            self._tell(f"{part.launch.name} is not ready ({part.state} {part.reason}): see {part.launch.log}")


async def _until(condition: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        await asyncio.sleep(_LOOK_SECONDS)


def stopped_at(stage: int) -> Callable[[Service], bool]:
    """Whether a service ends at this stage of a stop."""
    return lambda service: service.stop == stage


def stages(services: Iterable[Service]) -> list[int]:
    """The stages of a stop, in order."""
    return sorted({service.stop for service in services})
