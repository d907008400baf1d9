"""The client: everything an application calls."""

from __future__ import annotations

import os
from time import perf_counter
from typing import TYPE_CHECKING

from tidemark.intake import Intake
from tidemark.tracking import Tracking

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self, Unpack

    from tidemark.deployment import Deployment
    from tidemark.fields import CallFields, FeedbackFields
    from tidemark.settings import Options, Settings
    from tidemark.stats import Stats


class Client(Intake):
    """Sends calls to Tidemark from the background of an application.

    `emit`, `track`, `feedback` and `deployment` never raise, block or wait; only making a client with settings that
    cannot work raises: `TypeError`, `ValueError`, `OSError` for a ledger that cannot be written. Threads may share one.
    A forked child goes on with the same object, under an instance id of its own; what its parent queued, its parent
    sends. At exit the queue is sent or spooled.
    """

    def __init__(self, **options: Unpack[Options]) -> None:
        from tidemark.settings import Settings  # noqa: PLC0415 - as in `_begin`

        self._begin(Settings(os.environ, **options))
        self._asleep = not self._background.start()

    @classmethod
    def disabled(cls) -> Self:
        """A client that makes ids and counts everything as dropped: it asks no environment, and nothing runs."""
        from tidemark.settings import Settings  # noqa: PLC0415 - as in `_begin`

        made = cls.__new__(cls)
        made._begin(Settings({}, queue_calls=0, poll_seconds=0, spool=os.devnull))
        return made

    def _begin(self, settings: Settings) -> None:
        # Costs more to import than all that an application needs to declare what it will emit.
        from tidemark.background import Background  # noqa: PLC0415

        self.clock = perf_counter
        self.settings = settings
        self._background = Background(self, settings)
        super().__init__(capacity=settings.queue_calls, capacity_bytes=settings.queue_bytes)
        self._background.begin()

    def track(self, **fields: Unpack[CallFields]) -> Tracking:
        """Time a call: as a context manager, or as a decorator of a function, coroutine or generator of either kind.

        The version that serves is taken when the call starts; an exception is recorded and raised again.
        """
        return Tracking(self, dict(fields))

    def feedback(self, call_id: str = "", **fields: Unpack[FeedbackFields]) -> str:
        """Hand over what somebody said of a call; returns its `feedback_id` at once.

        `kind`: thumbs (`value` -1 or 1), stars (1 to 5), acceptance (0 or 1), edit, comment or reference (`text`).
        """
        return self.hand_over_opinion({"call_id": call_id, **fields})

    def deployment(self, unit: str | None = None) -> Deployment:
        """What serves this app in this environment by the newest answer; `unit` is what an experiment assigns."""
        self._background.follow()
        return self._background.deployments.newest.deployment(unit)

    def flush(self, timeout_seconds: float = 5.0) -> bool:
        """Wait until all that was emitted before is acknowledged, rejected or counted; False when time ran out."""
        return self._background.flush(timeout_seconds)

    def close(self) -> None:
        """Send what is queued, spool the rest, end the threads, within `exit_seconds`; done at exit by itself.

        Later calls are dropped and counted.
        """
        self._capacity = 0
        self._background.close()

    def stats(self) -> Stats:
        """What became of everything that this process emitted."""
        return self._background.stats()

    @property
    def rejected_file(self) -> Path:
        """Where what was refused for good is kept, with the reason, as JSON lines."""
        return self._background.rejected_file

    @property
    def instance(self) -> str:
        """The id under which this process numbers its calls; empty in a forked child that has not emitted yet."""
        sender = self._background.sender
        return sender.parts.instance if sender else ""

    def wake(self) -> None:
        """Start what runs in the background; done by itself, and only once where it fails."""
        try:
            self._asleep = not self._background.start()
        except Exception as error:  # a forked child without its ledger, a thread while the interpreter ends
            self._asleep = False
            self._background.reports.warn("wake", "The client cannot work in this process: %r.", error)
