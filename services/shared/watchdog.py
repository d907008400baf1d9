"""Ends a process that stands still, so that its supervisor starts it again."""

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

STUCK = 70  # EX_SOFTWARE
COMMIT_SECONDS = 60.0
LOOK_SECONDS = 1.0


@dataclass
class Progress:
    """How far one runtime is. Times are seconds of a monotonic clock."""

    name: str
    lag: int = 0
    advanced_at: float = 0.0
    uncommitted_since: float | None = None

    def __post_init__(self) -> None:
        self.advance()

    def advance(self) -> None:
        """Something was done: a batch, a commit, or one more try of what is away."""
        self.advanced_at = time.monotonic()

    def behind(self, lag: int) -> None:
        """So many messages are left; where there were none until now, nothing has stood still."""
        if not self.lag:
            self.advance()
        self.lag = lag

    def to_commit(self) -> None:
        """There is something to commit."""
        if self.uncommitted_since is None:
            self.uncommitted_since = time.monotonic()

    def committed(self) -> None:
        """Nothing is left to commit."""
        self.uncommitted_since = None
        self.advance()

    def waited(self) -> None:
        """The broker is away: trying again is all that can be done, and counts as progress."""
        self.advance()
        if self.uncommitted_since is not None:
            self.uncommitted_since = self.advanced_at

    def left(self) -> None:
        """The group was left: nothing is assigned, so nothing is behind, and nothing is left to commit."""
        self.lag = 0
        self.committed()

    def idle_seconds(self, now: float) -> float:
        """For how long nothing was done."""
        return now - self.advanced_at


def verdict(progress: Progress, now: float, stall_seconds: float) -> str | None:
    """Why the process has to end; None when it does not.

    >>> stuck = Progress("p", lag=3)
    >>> verdict(stuck, stuck.advanced_at + 5, stall_seconds=4)
    'p has a lag of 3 and has done nothing for 5 s'
    >>> verdict(Progress("p", lag=0), stuck.advanced_at + 5, stall_seconds=4)
    """
    idle = progress.idle_seconds(now)
    if progress.lag > 0 and idle > stall_seconds:
        return f"{progress.name} has a lag of {progress.lag} and has done nothing for {idle:.0f} s"
    since = progress.uncommitted_since
    if since is not None and now - since > COMMIT_SECONDS:
        return f"{progress.name} could not commit for {now - since:.0f} s"
    return None


class Watchdog(threading.Thread):
    """A thread of its own, since what it guards against may hold the event loop.

    It calls `end` (by default the process ends at once, with exit code 70) when a `verdict` is found.
    """

    def __init__(
        self, progress: Sequence[Progress], stall_seconds: float, end: Callable[[str], None] | None = None
    ) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._progress, self._stall_seconds = progress, stall_seconds
        self._end = end or _exit
        self._closed = threading.Event()

    def run(self) -> None:
        """Look once a second."""
        while not self._closed.wait(LOOK_SECONDS):
            for progress in tuple(self._progress):
                if reason := verdict(progress, time.monotonic(), self._stall_seconds):
                    self._end(reason)
                    return

    def close(self) -> None:
        """Look no more."""
        self._closed.set()


def _exit(reason: str) -> None:
    # The loop and its log handlers may be what is stuck: write straight, flush, end.
    sys.stderr.write(f'{{"level": "CRITICAL", "logger": "watchdog", "message": "{reason}; the process ends"}}\n')
    sys.stderr.flush()
    os._exit(STUCK)
