"""A window as it is written."""

from datetime import UTC, datetime
from typing import NamedTuple, Self

from schemas.ids import window_id
from schemas.messages import Score, Segment, Window
from services.windower.windower.cell import Rows
from services.windower.windower.sums import sums


class Measured(NamedTuple):
    """What one window is of, group aside."""

    segment: Segment
    metric: str
    evaluator: str
    evaluator_version: str

    @classmethod
    def of(cls, score: Score) -> Self:
        """What the windows are of that hold `score`."""
        return cls(score.segment, score.metric, score.evaluator, score.evaluator_version)


class Span(NamedTuple):
    """An interval of event time, in seconds; `start` since the epoch."""

    interval_seconds: int
    start_seconds: int

    @property
    def start(self) -> datetime:
        """The first moment."""
        return datetime.fromtimestamp(self.start_seconds, UTC)

    @property
    def end(self) -> datetime:
        """The first moment that is no part of it."""
        return datetime.fromtimestamp(self.start_seconds + self.interval_seconds, UTC)


def message(
    measured: Measured, span: Span, group: str, rows: Rows, source_partition: int, generation: int = 0
) -> Window:
    """The window of `rows`; `group` is "" for all calls, or `attribute=value`."""
    segment, metric, evaluator, version = measured
    named = (metric, evaluator, version, group)
    return Window(
        window_id=window_id(segment.key, named, (span.interval_seconds, span.start), source_partition),
        segment=segment,
        metric=metric,
        evaluator=evaluator,
        evaluator_version=version,
        group=group,
        interval_seconds=span.interval_seconds,
        window_start=span.start,
        window_end=span.end,
        source_partition=source_partition,
        generation=generation,
        **sums(rows, metric),
    )
