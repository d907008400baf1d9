"""The result of one look at the store and at the log, and how the alerter hears of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from schemas.ids import window_id
from schemas.messages import Window
from services.shared.ourselves import PLATFORM
from services.writer.completeness.gaps import Gap, Kind

EVALUATOR, EVALUATOR_VERSION = "completeness", "1"
KINDS: Sequence[Kind] = ("offsets", "calls")


@dataclass(frozen=True)
class Check:
    """What was there at one moment, and everything that was not."""

    checked_at: datetime
    broker_run: str
    grace_seconds: float
    pause_seconds: float  # until the next check
    covered: int  # offsets of this broker run, each once
    waiting: int  # messages on the log that nobody has written yet
    dead_letters: int
    refused: int
    whole: bool = True  # False: of the log nothing is known, and of the calls what is recent
    gaps: Sequence[Gap] = ()

    def missing(self, kind: Kind) -> int:
        """How many are in gaps that have outlived the grace period."""
        return sum(gap.hole.size for gap in self.gaps if gap.hole.kind == kind and self._is_overdue(gap))

    def pending(self, kind: Kind) -> int:
        """How many may still come: younger gaps, and what waits on the log."""
        young = sum(gap.hole.size for gap in self.gaps if gap.hole.kind == kind and not self._is_overdue(gap))
        return young + (self.waiting if kind == "offsets" else 0)

    @property
    def oldest_seconds(self) -> float:
        """The age of the oldest gap (s); 0 without one."""
        return max(((self.checked_at - gap.since).total_seconds() for gap in self.gaps), default=0.0)

    def _is_overdue(self, gap: Gap) -> bool:
        return self.checked_at - gap.since >= timedelta(seconds=self.grace_seconds)


def windows(check: Check, interval_seconds: int) -> list[Window]:
    """`missing_offsets` and `missing_calls` of Tidemark itself, over the interval that ended before the check.

    Every writer finds the same and gives its windows the same ids; without a check there is none, which says nothing.
    """
    end = int(check.checked_at.timestamp()) // interval_seconds * interval_seconds
    start = datetime.fromtimestamp(end - interval_seconds, UTC)
    return [_window(f"missing_{kind}", float(check.missing(kind)), start, interval_seconds) for kind in KINDS]


def _window(metric: str, value: float, start: datetime, interval_seconds: int) -> Window:
    measured = (metric, EVALUATOR, EVALUATOR_VERSION, "")
    return Window(
        window_id=window_id(PLATFORM.key, measured, (interval_seconds, start), 0),
        segment=PLATFORM,
        metric=metric,
        evaluator=EVALUATOR,
        evaluator_version=EVALUATOR_VERSION,
        interval_seconds=interval_seconds,
        window_start=start,
        window_end=start + timedelta(seconds=interval_seconds),
        source_partition=0,
        count=1,
        weight=1.0,
        weight_squares=1.0,
        weighted_sum=value,
        weighted_square_sum=value**2,
        minimum=value,
        maximum=value,
    )
