"""The one thread that runs a service's own code, and what happens when that fails."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeVar

from services.shared import metrics
from services.shared.breaker import Breaker, Tripped
from services.shared.errors import Transient
from services.shared.process import Process
from services.shared.retry import pauses
from services.shared.watchdog import Progress

log = logging.getLogger(__name__)

R = TypeVar("R")
T = TypeVar("T")
Failure = tuple[T, Exception]


class Stopping(Exception):
    """The process is to stop while something is away: what is in hand is left to the next start."""


class Worker:
    """Runs one function at a time, in a thread, so that heartbeats go on."""

    def __init__(self, name: str, process: Process, progress: Progress) -> None:
        self._name, self._process, self.progress = name, process, progress
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def once(self, work: Callable[[], R]) -> R:
        """The result of `work`; its errors pass through. That it ended is no progress: an idle clock ends too."""
        with metrics.HANDLE_SECONDS.labels(self._name).time():
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def insist(self, work: Callable[[], R]) -> R:
        """The result of `work`, tried again for ever while it raises `Transient`.

        Every other error passes through. Raises `Stopping` where the process is to stop meanwhile.
        """
        waited = False
        async for _ in pauses():
            try:
                result = await self.once(work)
            except Transient as error:
                waited = True
                self.progress.advance()
                metrics.RETRIES.labels(self._name).inc()
                self._process.health.unready(self._name, f"waiting for what is away: {error}")
                log.warning("%s waits for what is away: %s; trying again", self._name, error)
            else:
                if waited:
                    self._process.health.ready(self._name)
                return result
            if self._process.stopping.is_set():
                raise Stopping
        raise AssertionError  # pauses never end


def bisect(
    handle: Callable[[Sequence[T]], R], items: Sequence[T], breaker: Breaker
) -> tuple[list[R], list["Failure[T]"]]:
    """Handle all of `items` at once, or, where that fails, halves, down to those that fail alone.

    Order: results are in the order of the items. `Transient` passes through, and so does `Tripped` when `breaker`
    has counted too many failures.

    >>> bisect(lambda batch: [10 // item for item in batch], [5, 2, 0, 1], Breaker())[0]
    [[2, 5], [10]]
    """
    try:
        result = handle(items)
    except (Transient, Tripped):
        raise
    except Exception as error:
        if len(items) > 1:
            return _halves(handle, items, breaker)
        breaker.failed(f"{type(error).__name__}: {error}")
        return [], [(items[0], error)]
    breaker.succeeded(len(items))
    return [result], []


def _halves(
    handle: Callable[[Sequence[T]], R], items: Sequence[T], breaker: Breaker
) -> tuple[list[R], list["Failure[T]"]]:
    middle = len(items) // 2
    left, left_failures = bisect(handle, items[:middle], breaker)
    right, right_failures = bisect(handle, items[middle:], breaker)
    return left + right, left_failures + right_failures
