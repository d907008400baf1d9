"""The parts of the stack in their order: started, held, drained and stopped."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import groupby

from services.embedded.part import Part
from services.embedded.services import Service

_LOOK_SECONDS = 0.05


class Stack:
    """Services and their processes; `tell` is given one sentence an event."""

    def __init__(self, services: Sequence[Service], parts: Mapping[str, Part], tell: Callable[[str], None]) -> None:
        self.services = services
        self.parts = parts
        self._tell = tell

    async def start(self, ready_seconds: float) -> None:
        """Start what is not running, rank by rank; a rank that is not ready in time does not stop the next."""
        for _, rank in groupby(sorted(self.services, key=lambda service: service.start), lambda service: service.start):
            parts = [self.parts[service.name] for service in rank]
            for part in parts:
                part.release()
            await asyncio.gather(*(self._until_ready(part, ready_seconds) for part in parts))

    async def hold(self, chosen: Callable[[Service], bool], grace_seconds: float) -> None:
        """End the chosen services and leave them ended."""
        await self._each(chosen, lambda part: part.hold(grace_seconds))

    async def stop(self, chosen: Callable[[Service], bool], grace_seconds: float) -> None:
        """End the chosen services for good."""
        await self._each(chosen, lambda part: part.stop(grace_seconds))

    async def _each(self, chosen: Callable[[Service], bool], act: Callable[[Part], Awaitable[None]]) -> None:
        await asyncio.gather(*(act(self.parts[service.name]) for service in self.services if chosen(service)))

    async def _until_ready(self, part: Part, seconds: float) -> None:
        began = time.monotonic()
        while part.state not in ("ready", "crash loop") and time.monotonic() - began < seconds:
            await asyncio.sleep(_LOOK_SECONDS)
        took = time.monotonic() - began
        if part.state == "ready":
            self._tell(f"{part.launch.name} is ready ({took:.1f} s)")
        else:
            self._tell(f"{part.launch.name} is not ready after {took:.0f} s: see {part.launch.log}")


def stopped_at(stage: int) -> Callable[[Service], bool]:
    """Whether a service ends at this stage of a stop."""
    return lambda service: service.stop == stage


def stages(services: Iterable[Service]) -> list[int]:
    """The stages of a stop, in order."""
    return sorted({service.stop for service in services})
