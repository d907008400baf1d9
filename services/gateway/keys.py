"""The registry's key hashes, kept here too, so that a registry that is away stops no call."""

import asyncio
import logging
import os
from pathlib import Path

import httpx
import msgspec

from services.shared.access import KeyHash, KeyIndex
from services.shared.process import Process

log = logging.getLogger(__name__)
FIRST_SECONDS = 0.25  # while no key is known at all, nothing else can be done


class _Hashes(msgspec.Struct):
    keys: list[KeyHash]


class KeyCache:
    """Key hashes in memory and in a private file, fetched from the registry every few seconds.

    A key that was revoked is refused as soon as the next fetch succeeds; while the registry is away, the last
    known keys stay valid, also across a restart.
    """

    name = "keys"

    def __init__(self, client: httpx.AsyncClient, file: Path, interval_seconds: float = 5.0) -> None:
        self._client = client
        self._interval_seconds = interval_seconds
        self._file = file
        self._kept = _saved(file)
        self._index = KeyIndex(self._kept)
        self._fetching = asyncio.Lock()
        self.known = bool(self._kept)

    def find(self, digest: str) -> KeyHash | None:
        """The valid key with this hash."""
        return self._index.find(digest)

    async def fetch(self) -> None:
        """Ask the registry. Raises httpx.HTTPError or msgspec.DecodeError and keeps what was known."""
        async with self._fetching:
            answer = await self._client.get("/v1/keys/hashes")
            answer.raise_for_status()
            keys = msgspec.json.decode(answer.content, type=_Hashes).keys
            self._index, self.known = KeyIndex(keys), True
            if keys != self._kept:
                await asyncio.to_thread(_save, self._file, answer.content)
                self._kept = keys

    async def run(self, process: Process) -> None:
        """Fetch every few seconds until the process stops; a registry that is away is logged once."""
        away = False
        async with self._client:
            while not process.stopping.is_set():
                away = await self._try_to_fetch(process, was_away=away)
                await process.stopped_within(self._interval_seconds if self.known else FIRST_SECONDS)

    async def _try_to_fetch(self, process: Process, *, was_away: bool) -> bool:
        try:
            await self.fetch()
        except (httpx.HTTPError, msgspec.DecodeError, OSError) as error:
            if not was_away:
                log.warning("The registry gives no keys: %r; the last known ones stay valid", error)
            if not self.known:
                process.health.unready(self.name, "No key is known: the registry does not answer.")
            return True
        process.health.ready(self.name)
        return False


def _saved(file: Path) -> list[KeyHash]:
    if not file.exists():
        return []
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Hashes).keys
    except msgspec.DecodeError as error:
        log.warning("The saved keys cannot be read; waiting for the registry.", extra={"error": str(error)})
        return []


def _save(file: Path, content: bytes) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content)
    fresh.replace(file)
