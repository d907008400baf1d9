"""Windows rebuilt from all of their scores, held against those that are stored."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.messages import Score, Segment, Window
from services.windower.windower.cell import Cell, Rows
from services.windower.windower.message import Measured, Span, message

NO_ROWS = Cell().rows()
SAID = ("count", "not_scored", "failed", "labelled", "weight", "weighted_sum", "corpus")


class Place(NamedTuple):
    """Which window: what it is of, of which group and when."""

    measured: Measured
    group: str
    span: Span


@dataclass(frozen=True)
class Known:
    """A stored window: from which source partition, and what it says."""

    source_partition: int
    generation: int
    count: int
    not_scored: int
    failed: int
    labelled: int
    weight: float
    weighted_sum: float
    corpus: float | None = None

    @property
    def counted(self) -> int:
        """How many scores are in it."""
        return self.count + self.not_scored + self.failed

    def says(self, window: Window) -> bool:
        """Whether it says the same as `window`."""
        return all(getattr(self, name) == getattr(window, name) for name in SAID)


@dataclass
class Rebuilt:
    """How many scores were taken, and how many windows said the same as before, were mended, or kept.

    Kept: they counted more scores than there are, because the store has not all of them yet or not any more.
    """

    scores: int = 0
    same: int = 0
    mended: int = 0
    kept: int = 0


@dataclass
class Rebuild:
    """Takes the stored scores of a stretch of time, whole windows of it, and says which windows are to be replaced.

    `partition_of` tells the source partition of a segment whose window is not stored. A window that several
    partitions had (the topic was grown) becomes one, and the others empty.
    """

    intervals_seconds: Sequence[int]
    partition_of: Callable[[Segment], int]
    most_groups: int = 100
    done: Rebuilt = field(default_factory=Rebuilt)
    _cells: dict[tuple[Measured, Span], Cell] = field(default_factory=dict)

    def add(self, scores: Iterable[Score]) -> None:
        """Take scores, in any order; synthetic calls are no traffic and are left out."""
        for score in scores:
            if score.synthetic:
                continue
            measured, seconds = Measured.of(score), score.called_at.timestamp()
            self.done.scores += 1
            for interval in self.intervals_seconds:
                span = Span(interval, int(seconds // interval) * interval)
                self._cells.setdefault((measured, span), Cell()).add(score, seconds)

    def differing(self, known: Mapping[Place, Sequence[Known]]) -> Iterator[Window]:
        """The windows that differ from what is `known` of them, one generation higher; forgets the scores."""
        for (measured, span), cell in self._cells.items():
            cell.settle()
            rows = cell.rows()
            yield from self._compared(Place(measured, "", span), rows, known)
            for group, members in cell.groups(self.most_groups):
                yield from self._compared(Place(measured, group, span), rows.take(members), known)
        self._cells.clear()

    def _compared(self, place: Place, rows: Rows, known: Mapping[Place, Sequence[Known]]) -> Iterator[Window]:
        measured, group, span = place
        stored = known.get(place, ())
        partition = stored[0].source_partition if stored else self.partition_of(measured.segment)
        generation = 1 + max((each.generation for each in stored), default=-1)
        rebuilt = message(measured, span, group, rows, partition, generation)
        filled = [each for each in stored if each.counted]
        if len(filled) == 1 and filled[0].source_partition == partition and filled[0].says(rebuilt):
            self.done.same += 1
        elif sum(each.counted for each in filled) > len(rows.status):
            self.done.kept += 1
        else:
            self.done.mended += 1
            yield rebuilt
            for other in filled:
                if other.source_partition != partition:
                    yield message(measured, span, group, NO_ROWS, other.source_partition, generation)
