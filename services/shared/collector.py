"""How often Python looks for cycles of objects that nobody refers to, and what is free goes back to the system."""

import asyncio
import ctypes
import gc

# Objects made beyond those freed, then rounds: a batch of messages alone makes tens of thousands, and none is a cycle.
THRESHOLDS = (50_000, 20, 20)
TIDY_SECONDS = 60.0


def calm() -> None:
    """Look seldom, and never again at what is loaded by now: as Python ships, that is a quarter of a batch's time."""
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


async def tidy() -> None:
    """Look once a minute all the same, until cancelled: what few messages leave behind would wait for hours.

    What was freed then goes back to the system: glibc keeps it, in an arena for each thread, however much that is.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's own; elsewhere there is none
    while True:
        await asyncio.sleep(TIDY_SECONDS)
        gc.collect()
        if trim is not None:
            trim(0)
