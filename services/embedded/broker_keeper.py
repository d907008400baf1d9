"""The broker's lives: another one when it dies, outgrows its memory, grows old, or somebody asks."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from services.embedded.broker import Broker, BrokerError, Engine
from services.embedded.memory import resident_bytes
from services.embedded.restarts import Restarts

_LOOK_SECONDS = 0.25
_STOP_SECONDS = 20.0
# A log in memory keeps every message, and the store forgets after 90 days which of them it has.
LONGEST_LIFE_SECONDS = 60 * 86_400.0
SPOOL_SECONDS = 300.0  # the gateway keeps what it accepted for at least so long


class Around(Protocol):
    """What has to happen around the change of a broker."""

    async def drain(self) -> None:
        """Let nothing more in and wait, within bounds, until the consumers have everything."""

    async def before(self) -> None:
        """End every consumer: an offset of the old log must not be committed to the new one."""

    async def after(self, broker: Broker) -> None:
        """Prepare the new, empty broker and start the consumers."""


@dataclass(frozen=True)
class BrokerPlace:
    """Which broker it is, where it says what it does, and how much memory a log that is held there may take."""

    engine: Engine
    environment: Mapping[str, str]
    log: Path
    max_bytes: int


class BrokerKeeper:
    """Keeps one broker running.

    A log that is held in memory ends with its broker: the next one has an empty log and a run of its own, and the
    consumers start anew. On a durable log the next process goes on, and so do they.
    """

    def __init__(self, place: BrokerPlace, around: Around, tell: Callable[[str], None]) -> None:
        self._place, self._around, self._tell = place, around, tell
        self._asked = asyncio.Event()
        self.broker: Broker | None = None
        self.restarts = Restarts()
        self.started_at: float | None = None
        self.renewing = False

    @property
    def run(self) -> str | None:
        """The name of this life of the log."""
        return None if self.broker is None else self.broker.run

    @property
    def alive(self) -> bool:
        """Whether there is a broker, and it is not being replaced."""
        return self.broker is not None and self.broker.child.running and not self.renewing

    def renew(self) -> None:
        """Ask for a new broker in place of this one."""
        self._asked.set()

    async def start(self) -> None:
        """Start the first broker and prepare it; raises `BrokerError`."""
        await self._begin()

    async def watch(self) -> None:
        """Replace the broker whenever there is a reason, until cancelled."""
        while True:
            reason = await self._reason()
            self.renewing = True
            await self._replace(reason)
            self.renewing = False

    async def stop(self) -> None:
        """End the broker; a log that is held in memory is gone with it."""
        if self.broker is not None:
            await self.broker.child.stop(_STOP_SECONDS)

    async def _reason(self) -> str:
        while (broker := self.broker) is not None and broker.child.running:
            if self._asked.is_set():
                return "asked for"
            if not self._place.engine.durable and (spent := self._outgrown(broker) or self._aged()):
                return spent
            await asyncio.sleep(_LOOK_SECONDS)
        return ""

    def _outgrown(self, broker: Broker) -> str:
        used, allowed = resident_bytes(broker.child.pid), self._allowed_bytes()
        return f"its log takes {used / 2**20:.0f} MiB, {allowed / 2**20:.0f} are allowed" if used > allowed else ""

    def _aged(self) -> str:
        return f"it has run for {LONGEST_LIFE_SECONDS / 86_400:.0f} days" if self._age() > LONGEST_LIFE_SECONDS else ""

    def _allowed_bytes(self) -> int:
        # What the gateway sends again fills a new broker at once; without room for it each would end like the last.
        young = self._age() < SPOOL_SECONDS
        return self._place.max_bytes * (2 if self.restarts.count and young else 1)

    def _age(self) -> float:
        return time.monotonic() - (self.started_at or 0)

    async def _replace(self, reason: str) -> None:
        if self._place.engine.durable:
            self._tell(f"the broker {f'ends ({reason})' if reason else 'died'}; it goes on with its log")
            await self.stop()
        else:
            await self._leave_log(reason)
        pause = self.restarts.pause_seconds(self._age())
        await asyncio.sleep(0 if reason else pause)
        await self._until_begun(self._begin)
        self._asked.clear()

    async def _leave_log(self, reason: str) -> None:
        if reason:
            self._tell(f"a new broker: {reason}; the consumers finish first")
            await self._around.drain()
        else:
            self._tell("the broker died; a new one starts, and what was accepted is sent to it again")
        await self._around.before()
        if self.broker is not None:
            await self.broker.child.kill()

    async def _until_begun(self, begin: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                return await begin()
            except BrokerError as error:
                pause = self.restarts.pause_seconds(0)
                self._tell(f"{error}; tried again in {pause:.1f} s")
                await asyncio.sleep(pause)

    async def _begin(self) -> None:
        place = self._place
        self.started_at = time.monotonic()
        self.broker = await Broker.start(place.engine, place.environment, place.log)
        self._tell(f"broker run {self.broker.run}")
        try:
            await self._around.after(self.broker)
        except BrokerError:
            await self.broker.child.kill()  # the next one takes its port
            raise
