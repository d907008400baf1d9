"""The thread that empties the queue."""

from __future__ import annotations

from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING

from tidemark.coercion import Unusable
from tidemark.delivery import Replaced
from tidemark.stats import Stats

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemark.intake import Handed, Intake
    from tidemark.parts import Parts
    from tidemark.settings import Settings
    from tidemark.transport import Item

ADOPT_SECONDS = 30.0


class Sender:
    """Empties one intake, batch after batch, in a thread of its own.

    Looks every `linger_seconds`: callers that had to wake it would pay for a lock. Fresh calls go first, then one
    batch of what is spooled. What finds the spool full is held back, and nothing more is taken from the queue
    until it fits: so the queue fills, and the application's side counts what it refuses.
    """

    def __init__(self, intake: Intake, parts: Parts, settings: Settings) -> None:
        self.parts = parts
        self._intake, self._settings, self._delivery = intake, settings, parts.delivery
        self._hand: list[Item] = []  # taken from the queue, and nobody's yet
        self._spooled = self._lost = self._misused = 0
        self._waiting: list[Event] = []
        self._bell = Event()
        self._deadline = float("inf")
        self._adopt_at = 0.0
        self._thread = Thread(target=self._run, name="tidemark", daemon=True)
        # Raises where the interpreter is ending: then there is no thread, and `close` does its work.
        self.start = self._thread.start

    def flush(self, timeout_seconds: float) -> bool:
        """Wait until all that was handed over before is acknowledged, rejected or counted; whether it was in time."""
        settled = Event()
        self._waiting.append(settled)
        self._bell.set()
        return settled.wait(timeout_seconds)

    def close(self, timeout_seconds: float) -> None:
        """Send for half of the time at most, spool the rest, end the thread; what is left is counted as dropped."""
        self._deadline = monotonic() + timeout_seconds / 2
        self._bell.set()
        if self._thread.ident is None:
            self._run()
        else:
            self._thread.join(timeout_seconds / 2)
        if self._thread.is_alive():
            self.parts.transport.abort()
            self._thread.join(timeout_seconds / 4)
        # No abort ends the lookup of a name, nor a connection that is being made.
        replaced = self._thread.is_alive() and self._delivery.turn.acquire(blocking=False)
        if replaced:
            self._run()
        elif self._thread.is_alive():
            self._thread.join(timeout_seconds / 4)
        if replaced or not self._thread.is_alive():
            self._lose()
            self._lost += len(self._intake.calls) + len(self._intake.opinions)
            self._intake.calls.clear()
            self._intake.opinions.clear()
            self.parts.close()

    def abandon(self) -> None:
        """Close what a fork copied; the parent goes on with it."""
        self.parts.abandon()

    def stats(self) -> Stats:
        """What became of everything so far; while calls move, the sum may be off by the batch in hand."""
        delivery, preparer = self._delivery, self.parts.preparer
        queued = len(self._intake.calls) + len(self._intake.opinions) + len(self._hand)
        dropped = self._intake.dropped + self._lost
        return Stats(
            emitted=delivery.acknowledged + delivery.rejected + preparer.sampled_out + dropped + queued,
            acknowledged=delivery.acknowledged,
            spooled=self._spooled,
            rejected=delivery.rejected,
            dropped=dropped,
            queued=queued,
            sampled_out=preparer.sampled_out,
            masking_failures=preparer.masker.failed,
        )

    def _run(self) -> None:
        closing = False
        while not closing:
            closing = self._deadline < float("inf")
            try:
                progressed = self._cycle()
            except Replaced:
                return
            except Exception as error:  # the thread must outlive whatever one batch does to it
                self.parts.reports.warn("sender", "A batch failed and is counted as dropped: %r.", error)
                progressed = False
                self._lose()
            if not (progressed or closing):
                self._bell.wait(self._settings.linger_seconds)
                self._bell.clear()

    def _cycle(self) -> bool:
        """Everything once; whether there is more of the spool to send at once."""
        asked = list(self._waiting)
        self._adopt()
        self._delivery.lost = self._intake.dropped + self._lost
        self._drain(self._intake.next_call, self.parts.preparer.call, len(self._intake.calls))
        self._drain(self._intake.next_opinion, self.parts.preparer.opinion, len(self._intake.opinions))
        progressed = not self._overdue() and self._delivery.replay(self._settings.batch_calls)
        self._spooled = len(self.parts.spool)
        self._report()
        for settled in asked if not self._hand else ():
            self._waiting.remove(settled)
            settled.set()
        return progressed

    def _drain(self, take: Callable[[], Handed | None], prepare: Callable[[Handed], Item | None], number: int) -> None:
        """Take `number` from a queue, or until something has to be held back."""
        self._deliver()
        while number > 0 and not self._hand:
            number -= self._fill(take, prepare, min(number, self._settings.batch_calls))
            self._deliver()

    def _fill(self, take: Callable[[], Handed | None], prepare: Callable[[Handed], Item | None], number: int) -> int:
        """Fill the hand up to a batch's size; how many left the queue."""
        taken = size = 0
        while taken < number and size < self._settings.batch_bytes and (handed := take()) is not None:
            taken += 1
            item = self._prepared(prepare, handed)
            if item:
                self._hand.append(item)
                size += len(item.payload)
        return taken or number

    def _prepared(self, prepare: Callable[[Handed], Item | None], handed: Handed) -> Item | None:
        """The item, or None where the call was sampled out or refused, and counted."""
        try:
            return prepare(handed)
        except Unusable as refusal:
            reason = {"field": refusal.field, "message": refusal.message, "remedy": refusal.remedy}
        except Exception as error:  # a value whose own methods fail
            reason = {"field": "call", "message": repr(error)[:200], "remedy": "give plain values"}
        # Not masked yet, so the values themselves must not be written down.
        self._delivery.reject(handed[0], reason, {"fields": sorted(map(str, handed[3]))})
        return None

    def _deliver(self) -> None:
        if self._hand:
            self._hand = self._delivery.fresh(self._hand, spool_only=self._overdue())

    def _overdue(self) -> bool:
        return monotonic() > self._deadline

    def _adopt(self) -> None:
        if monotonic() >= self._adopt_at:
            self._adopt_at = monotonic() + ADOPT_SECONDS
            try:
                self.parts.spool.adopt()
            except OSError as error:
                self.parts.reports.warn("adopt", "The spool of other processes cannot be read: %s.", error)

    def _report(self) -> None:
        reports = self.parts.reports
        if self._intake.dropped + self._lost > self._delivery.lost:
            reports.warn("dropped", "Calls were dropped, the queue is full: %d so far.", self._intake.dropped)
        if self._intake.misused > self._misused:
            self._misused = self._intake.misused
            reports.warn("misused", "emit takes the fields of a call by name: %d uses made no call.", self._misused)
        if self.parts.preparer.masker.failed:
            reports.warn("masking", "A mask failed, the text was dropped: %s.", self.parts.preparer.masker.last_failure)

    def _lose(self) -> None:
        self._lost += len(self._hand)
        self._hand = []
