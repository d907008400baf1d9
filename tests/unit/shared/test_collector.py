"""Cycles are looked for seldom, and not left to lie; what is free goes back to the system."""

import asyncio
import ctypes
import gc
import weakref
from contextlib import asynccontextmanager, suppress

import psutil
import pytest

from services.shared import collector


class Knot:
    """An object that refers to itself."""

    def __init__(self):
        self.self = self


@asynccontextmanager
async def tidying():
    """Tidied a hundred times a second."""
    task = asyncio.create_task(collector.tidy())
    try:
        async with asyncio.timeout(20):
            yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(collector, "TIDY_SECONDS", 0.01)


async def test_what_nobody_refers_to_goes_within_a_minute():
    before = gc.get_threshold()
    try:
        collector.calm()
        assert gc.get_threshold() == collector.THRESHOLDS
        gone = weakref.ref(Knot())
        assert gone() is not None
        async with tidying():
            while gone() is not None:
                await asyncio.sleep(0.01)
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="the C library gives back by itself")
async def test_freed_memory_below_what_is_in_use_goes_back():
    held = [b"%d" % number * 20_000 for number in range(2000)]
    last = held[-1]
    most = psutil.Process().memory_info().rss
    del held
    async with tidying():
        while most - psutil.Process().memory_info().rss < 80_000_000:
            await asyncio.sleep(0.01)
    assert last.startswith(b"1999")
