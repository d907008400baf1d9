"""Trying again for ever, with growing pauses."""

import asyncio
import random
from collections.abc import AsyncIterator

SHORTEST_SECONDS, LONGEST_SECONDS = 0.1, 10.0


async def pauses(
    shortest_seconds: float = SHORTEST_SECONDS, longest_seconds: float = LONGEST_SECONDS
) -> AsyncIterator[int]:
    """The numbers of the tries, from 0: the first at once, each other after a pause that doubles, with jitter."""
    attempt, pause = 0, shortest_seconds
    while True:
        yield attempt
        # Jitter keeps those who lost the same server from coming back to it at the same moment.
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
        attempt, pause = attempt + 1, min(pause * 2, longest_seconds)
