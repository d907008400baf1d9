"""What is not there, and since when."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from services.writer.verification import between

Kind = Literal["offsets", "calls"]
Spans = Mapping[str, Sequence[tuple[int, int]]]  # what is covered, first and last inclusive, by "topic|partition"


class Hole(NamedTuple):
    """Offsets of a partition, or numbers of a client instance, that the store does not have; `last` is inclusive."""

    kind: Kind
    place: str  # "topic|partition" or "tenant|client instance"
    first: int
    last: int
    subject: str = ""  # whose: application and environment, where it is known

    @property
    def size(self) -> int:
        """How many are not there."""
        return self.last - self.first + 1


class Gap(NamedTuple):
    """A hole, and since when it begins where it begins."""

    hole: Hole
    since: datetime


class Extent(NamedTuple):
    """One partition on the broker: its first offset, what its reader has committed, the offset after its last."""

    start: int
    committed: int
    end: int


def joined(before: Spans, fresh: Spans) -> Spans:
    """Both together, where they touch or overlap as one.

    >>> joined({"t|0": [(0, 4), (9, 9)]}, {"t|0": [(3, 6)], "t|1": [(2, 2)]})
    {'t|0': [(0, 6), (9, 9)], 't|1': [(2, 2)]}
    """
    return {place: _merged([*before.get(place, ()), *fresh.get(place, ())]) for place in sorted({*before, *fresh})}


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(last, merged[-1][1])
        else:
            merged.append((first, last))
    return merged


def uncovered(extents: Mapping[str, Extent], spans: Spans) -> Iterator[Hole]:
    """What the log has, its reader has committed and no range covers; what is not committed is on its way.

    >>> [hole[2:4] for hole in uncovered({"t|0": Extent(5, 20, 30)}, {"t|0": [(7, 9), (12, 15)]})]
    [(5, 6), (10, 11), (16, 19)]
    """
    for place, extent in extents.items():
        for first, last in between(spans.get(place, ()), extent.start, extent.committed):
            yield Hole("offsets", place, first, last)


def waiting(extents: Mapping[str, Extent], spans: Spans) -> int:
    """Messages of the log that are neither committed nor covered."""
    return sum(
        last - first + 1
        for place, extent in extents.items()
        for first, last in between(spans.get(place, ()), extent.committed, extent.end)
    )


def aged(holes: Iterable[Hole], before: Iterable[Gap], now: datetime) -> list[Gap]:
    """The holes with their ages, given the gaps of the last check.

    A hole is as old as its first number. When that comes, what is left is being filled, by a spool that is sent for
    example, and is as young as if it had just been seen.

    >>> at, later = datetime(2026, 1, 1, 12), datetime(2026, 1, 1, 13)
    >>> before = aged([Hole("calls", "a", 4, 9), Hole("calls", "b", 4, 9)], [], at)
    >>> [gap.since.hour for gap in aged([Hole("calls", "a", 4, 8), Hole("calls", "b", 6, 9)], before, later)]
    [12, 13]
    """
    known = {gap.hole[:3]: gap.since for gap in before}
    return [Gap(hole, known.get(hole[:3], now)) for hole in holes]
