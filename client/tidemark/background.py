"""Everything behind the queue: the thread that sends, the thread that asks what serves, their beginning and end."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from tidemark import lifecycle
from tidemark.deployments import Deployments, route
from tidemark.parts import REJECTED, Parts, asker
from tidemark.reports import Reports
from tidemark.sender import Sender
from tidemark.stats import NOTHING

if TYPE_CHECKING:
    from pathlib import Path

    from tidemark.deployment import Answer
    from tidemark.intake import Intake
    from tidemark.settings import Settings
    from tidemark.stats import Stats


class Background:
    """What works for one client in one process."""

    def __init__(self, intake: Intake, settings: Settings) -> None:
        self.settings = settings
        self.closed = False
        self.reports = Reports()
        self._intake = intake
        self.sender: Sender | None = None
        lifecycle.watch(self)

    def begin(self) -> None:
        """Say which version serves, as far as is known; nothing runs yet."""
        settings = self.settings
        self._waking = Lock()
        self.sender = None
        self.deployments = Deployments(
            route(settings.app, settings.environment),
            file=settings.folder / "deployment.json",
            default=settings.version or settings.default_version,
            connect=lambda: asker(settings),
        )
        self._intake.serving = settings.version or self.deployments.newest.deployment(None).version
        if not settings.version:
            self.deployments.changed = self._serve

    def _serve(self, answer: Answer) -> None:
        self._intake.serving = answer.deployment(None).version

    def start(self) -> bool:
        """Start what sends; False where another thread is at it, for which nobody waits."""
        if not self._waking.acquire(blocking=False):
            return False
        try:
            if self.sender is None:
                self.sender = Sender(self._intake, Parts(self.settings), self.settings)
                self.sender.start()
                lifecycle.watch_worker(self)
                if not self.settings.version:
                    self.follow()
        finally:
            self._waking.release()
        return True

    @property
    def rejected_file(self) -> Path:
        """As `Client.rejected_file`."""
        return self.settings.folder / REJECTED

    def follow(self) -> None:
        """Keep asking what serves; only the gateway can be asked."""
        if self.settings.transport == "http" and self.settings.poll_seconds > 0 and not self.closed:
            try:
                self.deployments.start(self.settings.poll_seconds)
            except RuntimeError as error:  # no thread is to be had; the next use tries again
                self.reports.warn("deployment", "The deployment cannot be asked for: %s.", error)

    def flush(self, timeout_seconds: float) -> bool:
        """As `Sender.flush`; at once where nothing was handed over."""
        return self.sender is None or self.sender.flush(timeout_seconds)

    def stats(self) -> Stats:
        """As `Sender.stats`; where nothing sends, all that can have become of a call is that it was dropped."""
        dropped = self._intake.dropped
        return self.sender.stats() if self.sender else NOTHING._replace(emitted=dropped, dropped=dropped)

    def close(self) -> None:
        """As `Sender.close`, once."""
        if not self.closed:
            self.closed = True
            self.deployments.close()
            if self.sender:
                self.sender.close(self.settings.exit_seconds)

    def reborn(self) -> None:
        """Begin anew in a forked child, without a thread until its first call; what is closed stays closed."""
        if self.closed:
            return
        try:
            if self.sender:
                self.sender.abandon()
        finally:
            self._intake.renew()
            self.begin()
