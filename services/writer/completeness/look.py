"""One look at the store after the other: the whole at first and now and then, in between what is recent."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from time import monotonic

from services.writer.completeness.check import Check
from services.writer.completeness.gaps import Gap, Hole, Spans, aged, joined, uncovered, waiting
from services.writer.completeness.log import Log
from services.writer.completeness.records import Records
from services.writer.config import Config

WHOLE = timedelta(days=3)  # a weekend: what is lost on Friday evening is still said on Monday
RECENT = timedelta(hours=2)  # before the last look: what was on its way then
BEGINNING = datetime.fromisoformat("1970-01-01T00:00:00Z")
SHARE = 20  # a look that takes a second is followed by twenty without one: it must never be what slows the store
LONGEST_PAUSE_SECONDS = 600.0
WHOLE_SHARE = 50  # the same for looks at the whole, as long as nothing is missing


class Look:
    """Compares the store with the log; for one thread.

    While nothing is missing it reads the ranges and calls of the last two hours, which is all that can have changed
    but for rows that vanish. Those the next look at the whole finds: every range of the log, the calls of three days.
    Where that fails, what is recent is looked at until the next try, and what was missing stays so; before it has
    succeeded once, nothing is said of the log, and the check is not `whole`.
    """

    def __init__(self, config: Config, records: Records, seconds: Callable[[], float] = monotonic) -> None:
        self._config, self._records, self._seconds = config, records, seconds
        self._run = ""
        self._gaps: Sequence[Gap] = ()
        self._spans: Spans = {}
        self._whole = False  # whether `_spans` are those of the whole log
        self._checked_at: datetime | None = None
        self._whole_at = self._retry_at = 0.0  # on the clock `seconds`

    def check(self, log: Log, now: datetime) -> Check:
        """What the store lacks of a log that was read before: what came in between is not missing."""
        began = self._seconds()
        if log.broker_run != self._run:
            self._gaps, self._spans, self._whole = self._records.last_gaps(log.broker_run), {}, False
            self._run, self._whole_at, self._retry_at = log.broker_run, began, began
        whole = began >= self._retry_at and (bool(self._gaps) or began >= self._whole_at)
        if whole:  # should it fail
            self._retry_at = began + LONGEST_PAUSE_SECONDS
        found = self._holes(log, now) if whole else self._recent_holes(log, now)
        took_seconds = self._seconds() - began
        if whole:
            self._whole_at, self._retry_at = began + WHOLE_SHARE * took_seconds, began
        check = self._result(log, now, aged(found, self._gaps, now), took_seconds)
        self._records.add(check)
        self._gaps, self._checked_at = check.gaps, now
        return check

    def _holes(self, log: Log, now: datetime) -> list[Hole]:
        spans, calls = self._records.spans(log.broker_run, log.extents, BEGINNING), self._records.holes(now - WHOLE)
        self._spans, self._whole = spans, True
        return [*uncovered(log.extents, spans), *calls]

    def _recent_holes(self, log: Log, now: datetime) -> list[Hole]:
        lately = (self._checked_at or now) - RECENT
        self._spans = joined(self._spans, self._records.spans(log.broker_run, log.extents, lately))
        offsets = uncovered(log.extents, self._spans) if self._whole else ()
        before = (gap.hole for gap in self._gaps if gap.hole.kind == "calls" or not self._whole)
        holes = [*before, *offsets, *self._records.holes(lately)]
        return list({hole[:3]: hole for hole in holes}.values())

    def _result(self, log: Log, now: datetime, gaps: Sequence[Gap], took_seconds: float) -> Check:
        return Check(
            checked_at=now,
            broker_run=log.broker_run,
            grace_seconds=self._config.completeness_grace_seconds,
            pause_seconds=max(self._config.completeness_seconds, min(SHARE * took_seconds, LONGEST_PAUSE_SECONDS)),
            covered=sum(last - first + 1 for spans in self._spans.values() for first, last in spans),
            waiting=waiting(log.extents, self._spans),
            dead_letters=self._records.dead_letters(),
            refused=self._records.refused(),
            whole=self._whole,
            gaps=gaps,
        )
