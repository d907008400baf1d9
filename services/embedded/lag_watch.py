"""The consumer groups' lag, looked at every few seconds."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from aiokafka.errors import KafkaError

from services.embedded.lag import Lag, LagReader
from services.embedded.services import Service

EVERY_SECONDS = 3.0
_ANSWER_SECONDS = 5.0
_DRAIN_LOOK_SECONDS = 0.3


class LagWatch:
    """Keeps the newest look; a broker that does not answer leaves none."""

    def __init__(self, bootstrap: str, prefix: str, services: Iterable[Service]) -> None:
        self.newest: dict[str, Lag] = {}
        self._place = bootstrap, prefix, tuple(services)
        self._reader: LagReader | None = None
        self._turn = asyncio.Lock()

    async def watch(self, alive: Callable[[], bool]) -> None:
        """Look again and again while the broker is alive, until cancelled."""
        while True:
            if alive():
                await self.look()
            await asyncio.sleep(EVERY_SECONDS)

    async def look(self) -> bool:
        """Look once; whether the broker answered."""
        async with self._turn:
            try:
                self.newest = await asyncio.wait_for(self._read(), _ANSWER_SECONDS)
            except (KafkaError, OSError, TimeoutError):
                await self._drop()
                return False
        return True

    async def until_nothing(self, groups: Sequence[str], seconds: float) -> dict[str, int | None]:
        """Wait at most `seconds` until these groups are behind by nothing; who is still behind, and by how much.

        None is an unknown amount: the broker did not answer the last look.
        """
        behind: dict[str, int | None] = {}
        until = time.monotonic() + seconds
        while time.monotonic() < until and (behind := await self._behind(groups)):
            await asyncio.sleep(_DRAIN_LOOK_SECONDS)
        return behind

    async def forget(self) -> None:
        """Let go of the broker: its offsets mean nothing to the next one."""
        async with self._turn:
            await self._drop()

    async def _behind(self, groups: Sequence[str]) -> dict[str, int | None]:
        if not await self.look():
            return dict.fromkeys(groups)
        return {
            name: self.newest[name].messages for name in groups if name in self.newest and self.newest[name].messages
        }

    async def _read(self) -> dict[str, Lag]:
        if self._reader is None:
            self._reader = LagReader(*self._place)
            await self._reader.start()
        return await self._reader.read()

    async def _drop(self) -> None:
        self.newest = {}
        if self._reader is not None:
            with suppress(KafkaError, OSError, TimeoutError):
                await asyncio.wait_for(self._reader.close(), _ANSWER_SECONDS)
            self._reader = None
