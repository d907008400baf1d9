"""One supervised process: started, watched, started again."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from services.embedded.child import Child
from services.embedded.restarts import Restarts

State = Literal["waiting", "starting", "ready", "not ready", "pausing", "crash loop", "held", "stopped"]


@dataclass(frozen=True)
class Launch:
    """What a part is: how it is started and where it says that it is ready."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    port: int
    ready_url: str


class Part:
    """Keeps one process running from `release` until `hold` or `stop`.

    A process that ends by itself is started again after a pause that grows while it keeps ending early. `hold` and
    `stop` never count as restarts.
    """

    def __init__(self, launch: Launch, tell: Callable[[str], None]) -> None:
        self.launch = launch
        self.restarts = Restarts()
        self.reason = ""
        self.last_exit: int | None = None
        self.started_at: float | None = None
        self.answers = False  # it listens, ready or not
        self._tell = tell
        self._child: Child | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self.state: State = "waiting"

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._child.pid if self._child is not None and self._child.running else None

    @property
    def uptime_seconds(self) -> float | None:
        """How long the process has run."""
        return None if self.pid is None or self.started_at is None else time.monotonic() - self.started_at

    def release(self) -> None:
        """Start it, unless it is started already."""
        if self._keeper is None or self._keeper.done():
            self._keeper = asyncio.create_task(self._keep(), name=self.launch.name)

    def judge(self, *, answers: bool, ready: bool, reason: str) -> None:
        """Take note of what it says of itself."""
        if self.pid is None:
            return
        self.answers = answers
        self.restarts.settle(self.uptime_seconds or 0)
        self.reason = reason
        if ready:
            if not self._ready.is_set():
                self._tell(f"{self.launch.name} is ready ({self.uptime_seconds or 0:.1f} s)")
            self.state = "ready"
            self._ready.set()
        elif self._ready.is_set():
            self.state = "not ready"

    async def until_ready(self, seconds: float) -> bool:
        """Wait at most `seconds`; whether it is ready."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ready.wait(), seconds)
        return self._ready.is_set()

    async def restart(self, grace_seconds: float) -> None:
        """End it, gracefully, and start it at once."""
        await self.hold(grace_seconds)
        self.release()

    async def hold(self, grace_seconds: float) -> None:
        """End it and leave it ended until `release`; without grace it is killed."""
        await self._end(grace_seconds)
        self.state = "held"

    async def stop(self, grace_seconds: float) -> None:
        """End it for good."""
        await self._end(grace_seconds)
        self.state = "stopped"

    async def _end(self, grace_seconds: float) -> None:
        # The keeper goes first: it would take the end for a crash. A child it was about to start is there or not
        # when it is cancelled, since it is kept in the same step that started it.
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
            self._keeper = None
        if self._child is not None:
            await (self._child.stop(grace_seconds) if grace_seconds else self._child.kill())
            self._child = None
        self._ready.clear()

    async def _keep(self) -> None:
        while True:
            try:
                await self._start()
            except OSError as error:  # no room for a process or its log now: there may be some in a moment
                await self._pause(f"could not be started ({error})")
            else:
                self.last_exit = await self._running().ended()
                await self._pause(f"ended ({how(self.last_exit)})")

    def _running(self) -> Child:
        if self._child is None:
            raise RuntimeError(f"{self.launch.name} was not started")
        return self._child

    async def _start(self) -> None:
        launch = self.launch
        self.state, self.answers, self.started_at = "starting", False, time.monotonic()
        starting = asyncio.ensure_future(Child.start(launch.command, launch.environment, launch.log))
        try:
            self._child = await asyncio.shield(starting)
        except asyncio.CancelledError:
            with suppress(OSError):
                self._child = await starting
            raise

    async def _pause(self, why: str) -> None:
        self._ready.clear()
        pause = self.restarts.pause_seconds(time.monotonic() - (self.started_at or 0.0))
        self.state = "crash loop" if self.restarts.looping else "pausing"
        self._tell(f"{self.launch.name} {why}; it is started again in {pause:.1f} s")
        await asyncio.sleep(pause)


def how(code: int) -> str:
    """An exit code as a person says it.

    >>> how(1), how(-9)
    ('exit code 1', 'signal 9')
    """
    return f"signal {-code}" if code < 0 else f"exit code {code}"
