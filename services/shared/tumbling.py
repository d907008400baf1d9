"""Tumbling windows of event time: when they open, are due and close."""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from typing import Generic, TypeVar

Content = TypeVar("Content")
Key = TypeVar("Key", bound=Hashable)

# What the gateway lets pass unless it is told otherwise; a producer that writes straight to Kafka is refused nothing.
AHEAD_SECONDS = 300


def is_ahead(happened_at: datetime, taken_ms: int) -> bool:
    """Whether an event lies in the future of its record: its window would stay open, and hold commits back, till then.

    Told by the time at which Kafka took the record and not by the clock, so that a rebuild tells the same.
    """
    return happened_at.timestamp() - taken_ms / 1000 > AHEAD_SECONDS


@dataclass(frozen=True)
class Timing:
    """When windows are emitted and closed, in seconds of event time unless said otherwise.

    `settle_seconds` is wall clock: a window that received something is kept open that much longer, because a sender
    that catches up delivers what it read of several partitions only nearly in the order of event time.
    """

    delay_seconds: float = 1.0
    late_intervals: float = 2.0
    settle_seconds: float = 5.0


@dataclass(slots=True)
class Open(Generic[Key, Content]):
    """One window that may still change; whoever changes its content sets `changed`."""

    key: Key
    stream: Hashable
    start_seconds: int
    interval_seconds: int
    first_offset: int
    content: Content
    changed: bool = True
    touched: bool = True
    touched_at: float = -inf
    due: float = -inf  # watermark of the next emission

    @property
    def end_seconds(self) -> int:
        """The first second that is no part of the window."""
        return self.start_seconds + self.interval_seconds


@dataclass(slots=True)
class _Watermark:
    """How far one stream has come: its largest event time, and the clock's pace from there while nothing arrives."""

    largest: float = -inf
    value: float = -inf
    anchor: float = -inf
    arrived: bool = False
    arrived_at: float = -inf

    def advance(self, now: float) -> float:
        reached = min(self.largest, now)
        if self.arrived:
            self.anchor, self.arrived_at, self.arrived = max(reached, self.value), now, False
        idle = min(now, self.anchor + max(0.0, now - self.arrived_at))
        self.value = max(self.value, reached, idle)
        return self.value


@dataclass
class Tumbling(Generic[Key, Content]):
    """The open windows of one partition.

    A stream (an evaluator, an encoder) has a watermark of its own, so that a slow one is not late because a fast one
    is ahead: the smaller of its largest event time and the clock. While nothing arrives it moves at the pace of the
    clock. A window is due `delay_seconds` after its end; again, when it changed, an interval later; and last when it
    closes, `late_intervals` intervals after its end. What comes after that is late.

    Offsets of neighbouring windows interleave, so what is rebuilt from `needed()` contains windows that were closed
    before, from their tail alone: readers keep the fuller one.
    """

    opened: Callable[[], Content]
    timing: Timing = Timing()
    _open: dict[tuple[Key, int, int], Open[Key, Content]] = field(default_factory=dict)
    _watermarks: dict[Hashable, _Watermark] = field(default_factory=dict)
    _closed: dict[tuple[Hashable, int], int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._open)

    def reach(self, stream: Hashable, event_seconds: float) -> None:
        """Something of `stream` arrived that happened at `event_seconds` since the epoch."""
        mark = self._watermarks.get(stream)
        if mark is None:
            mark = self._watermarks[stream] = _Watermark()
        mark.arrived = True
        mark.largest = max(mark.largest, event_seconds)

    def find(
        self, stream: Hashable, key: Key, *, event_seconds: float, interval_seconds: int, offset: int
    ) -> Open[Key, Content] | None:
        """The window of `key` that holds `event_seconds`, opened if need be; None when it is closed for good."""
        start = int(event_seconds // interval_seconds) * interval_seconds
        found = self._open.get((key, interval_seconds, start))
        if found is None:
            if start + interval_seconds <= self._closed.get((stream, interval_seconds), -1):
                return None
            found = Open(key, stream, start, interval_seconds, offset, self.opened())
            self._open[key, interval_seconds, start] = found
        found.touched = True
        return found

    def tick(self, now: float) -> Iterator[Open[Key, Content]]:
        """The windows to emit at `now` (seconds since the epoch); those whose time is over are closed.

        The iterator has to be used up before anything else is added.
        """
        marks = {stream: mark.advance(now) for stream, mark in self._watermarks.items()}
        for place, window in list(self._open.items()):
            mark = marks.get(window.stream, -inf)
            closing = self._closes(window, mark, now)
            if window.changed and (closing or mark >= self._due(window)):
                window.changed, window.due = False, mark + window.interval_seconds
                yield window
            if closing:
                self._close(place, window)

    def needed(self) -> int | None:
        """The smallest first offset of an open window; None when nothing is open."""
        return min((window.first_offset for window in self._open.values()), default=None)

    def _due(self, window: Open[Key, Content]) -> float:
        return max(window.due, window.end_seconds + self.timing.delay_seconds)

    def _closes(self, window: Open[Key, Content], mark: float, now: float) -> bool:
        if window.touched:
            window.touched, window.touched_at = False, now
        over = window.end_seconds + self.timing.late_intervals * window.interval_seconds
        return mark >= over and now >= window.touched_at + self.timing.settle_seconds

    def _close(self, place: tuple[Key, int, int], window: Open[Key, Content]) -> None:
        del self._open[place]
        group = (window.stream, window.interval_seconds)
        self._closed[group] = max(window.end_seconds, self._closed.get(group, -1))
