"""Cycles are looked for seldom, and not left to lie."""

import asyncio
import gc
import weakref
from contextlib import suppress

from services.shared import collector


class Knot:
    """An object that refers to itself."""

    def __init__(self):
        self.self = self


async def test_what_nobody_refers_to_goes_within_a_minute(monkeypatch):
    monkeypatch.setattr(collector, "TIDY_SECONDS", 0.01)
    before = gc.get_threshold()
    try:
        collector.calm()
        assert gc.get_threshold() == collector.THRESHOLDS
        gone = weakref.ref(Knot())
        assert gone() is not None
        tidying = asyncio.create_task(collector.tidy())
        async with asyncio.timeout(20):
            while gone() is not None:
                await asyncio.sleep(0.01)
        tidying.cancel()
        with suppress(asyncio.CancelledError):
            await tidying
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
