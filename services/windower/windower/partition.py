"""The open windows of one partition of scores."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schemas.messages import Score, Window
from services.shared.tumbling import Open, Timing, Tumbling
from services.windower.windower.cell import Cell, Rows
from services.windower.windower.message import Measured, Span, message

DEFAULT_TIMING = Timing()


@dataclass
class Tally:
    """What was taken and what was not, since the start."""

    added: int = 0
    repeated: int = 0
    late: int = 0


class Partition:
    """Scores of one source partition, folded into windows of every interval.

    Order does not matter within an open window, repeats are harmless, and a score that is better than the one
    with the same id takes its place. Late scores are counted and nothing else.
    """

    def __init__(
        self,
        partition: int,
        intervals_seconds: Sequence[int],
        *,
        timing: Timing = DEFAULT_TIMING,
        most_groups: int = 100,
    ) -> None:
        self.partition = partition
        self.tally = Tally()
        self._intervals = tuple(intervals_seconds)
        self._most_groups = most_groups
        self._windows: Tumbling[Measured, Cell] = Tumbling(Cell, timing)

    def __len__(self) -> int:
        return len(self._windows)

    def add(self, score: Score, offset: int) -> None:
        """Take one score, which came at `offset`; synthetic calls are no traffic and are left out."""
        if score.synthetic:
            return
        seconds = score.called_at.timestamp()
        key = Measured.of(score)
        self._windows.reach(score.evaluator, seconds)
        for interval in self._intervals:
            window = self._windows.find(
                score.evaluator, key, event_seconds=seconds, interval_seconds=interval, offset=offset
            )
            if window is None:
                self.tally.late += 1
            else:
                window.content.add(score, seconds)
                window.changed = True

    def tick(self, now: float) -> Iterator[Window]:
        """The windows that are due at `now` (seconds since the epoch): one of all calls, then one a group."""
        for window in self._windows.tick(now):
            added, repeated = window.content.settle()
            self.tally.added += added
            self.tally.repeated += repeated
            if not added:
                continue
            rows = window.content.rows()
            yield self._message(window, "", rows)
            for group, members in window.content.groups(self._most_groups):
                yield self._message(window, group, rows.take(members))

    def needed(self) -> int | None:
        """The smallest offset that has to be read again after a crash; None when nothing is open."""
        return self._windows.needed()

    def _message(self, window: Open[Measured, Cell], group: str, rows: Rows) -> Window:
        return message(window.key, Span(window.interval_seconds, window.start_seconds), group, rows, self.partition)
