"""Forgets the payloads of calls that are past retention."""

import asyncio
import logging
from datetime import timedelta

from services.shared.object_store import ObjectStore
from services.shared.process import Process

log = logging.getLogger(__name__)

LOOK_SECONDS = 3600.0
SPARE = timedelta(days=1)  # for a call that was taken at the last moment and is scored a little later


class Expiry:
    """Looks once an hour for whole days that are older than `oldest` and a day; several gateways may do so at once."""

    name = "payloads"

    def __init__(self, payloads: ObjectStore, oldest: timedelta) -> None:
        self._payloads, self._kept = payloads, oldest + SPARE

    async def run(self, process: Process) -> None:
        """Look until the process stops; a store that does not answer is asked again an hour later."""
        while True:
            before = (process.clock() - self._kept).date()
            try:
                days = await asyncio.to_thread(self._payloads.expire, before)
                log.info("%d days of payloads before %s are removed.", days, before)
            except Exception as error:  # every file system of fsspec has errors of its own
                log.warning("Old payloads cannot be removed: %r", error)
            if await process.stopped_within(LOOK_SECONDS):
                return
