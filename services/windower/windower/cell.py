"""The scores of one metric in one window."""

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields

import numpy as np
import numpy.typing as npt

from schemas.messages import Score

FAILED, NOT_SCORED, SCORED = 0, 1, 2

UNLABELLED = -1
LARGEST_WEIGHT = 2.0**60  # nobody samples one call in 10**18; the square of what is beyond would be no number
NO_STATISTICS: Mapping[str, float] = {}  # one for all: most scores have none


@dataclass(frozen=True)
class Rows:
    """Columns of equal length, a row a score: status, value, weight (1 / inclusion probability), label, statistics."""

    status: npt.NDArray[np.int8]
    value: npt.NDArray[np.float64]
    weight: npt.NDArray[np.float64]
    label: npt.NDArray[np.int8]
    statistics: npt.NDArray[np.object_]  # a mapping of names to numbers each

    def take(self, rows: npt.NDArray[np.int64]) -> "Rows":
        """The rows of these numbers."""
        return Rows(*(getattr(self, column.name)[rows] for column in fields(self)))


@dataclass(slots=True)
class Cell:
    """Scores as columns, and which of them belong to which group (`attribute=value`).

    What comes again lies beside what came before until `settle`: a dictionary of ids would take more memory than all
    columns do, in small pieces. Sums are taken when a window is emitted and not kept running: what is replaced could
    not be taken out of a minimum, and what is summed in sorted order does not depend on arrival.
    """

    _ids: bytearray = field(default_factory=bytearray)
    _status: "array[int]" = field(default_factory=lambda: array("b"))
    _stamp: "array[float]" = field(default_factory=lambda: array("d"))
    _value: "array[float]" = field(default_factory=lambda: array("d"))
    _weight: "array[float]" = field(default_factory=lambda: array("d"))
    _label: "array[int]" = field(default_factory=lambda: array("b"))
    _statistics: list[Mapping[str, float]] = field(default_factory=list)
    _groups: "dict[str, array[int]]" = field(default_factory=dict)
    _settled: int = 0  # the rows before this one are the only ones of their ids

    def add(self, score: Score, called_at: float) -> None:
        """Take `score`, as its id's next row."""
        row = len(self._status)
        self._ids += score.score_id.bytes
        self._status.append(SCORED if score.value is not None and score.status == "scored" else _FALLBACK[score.status])
        self._stamp.append(called_at if score.input_at is None else score.input_at.timestamp())
        self._value.append(score.value or 0.0)
        self._weight.append(_weight(score))
        self._label.append(_label(score))
        self._statistics.append(score.statistics or NO_STATISTICS)
        for attribute, value in score.groups.items():
            self._groups.setdefault(f"{attribute}={value}", array("q")).append(row)

    def settle(self) -> tuple[int, int]:
        """Keep the best row of each id; how many of those since the last time were kept, and how many were not.

        Better is what has seen newer input, then scored over not_scored over failed, then the larger inclusion
        probability: a call that was handled twice at different rates was in the sample of the higher one both times.
        Of equal ones the first stays.
        """
        came = len(self._status) - self._settled
        best = self._best()
        kept = int(np.count_nonzero(best >= self._settled))
        if len(best) < len(self._status):
            self._keep(best)
        self._settled = len(best)
        return kept, came - kept

    def rows(self) -> Rows:
        """A copy of the columns."""
        return Rows(
            np.array(self._status, dtype=np.int8),
            np.array(self._value, dtype=np.float64),
            np.array(self._weight, dtype=np.float64),
            np.array(self._label, dtype=np.int8),
            np.array(self._statistics, dtype=np.object_),
        )

    def groups(self, most: int) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
        """Row numbers of the `most` largest groups; equal sizes by name, so that a rebuild picks the same."""
        largest = sorted(self._groups, key=lambda name: (-len(self._groups[name]), name))[:most]
        for name in largest:
            yield name, np.array(self._groups[name], dtype=np.int64)

    def _best(self) -> npt.NDArray[np.int64]:
        """The row that stays of each id, in the order of arrival."""
        halves = np.array(np.frombuffer(self._ids, dtype=np.uint64)).reshape(-1, 2)
        if len(np.unique(halves[:, 1])) == len(halves):
            return np.arange(len(halves))
        stamp, status, weight = (np.array(column) for column in (self._stamp, self._status, self._weight))
        order = np.lexsort((weight, -status, -stamp, halves[:, 0], halves[:, 1]))  # stable: the first of equal ones
        ids = halves[order]
        first = np.concatenate(([True], np.any(ids[1:] != ids[:-1], axis=1)))
        return np.sort(order[first])

    def _keep(self, rows: npt.NDArray[np.int64]) -> None:
        place = np.full(len(self._status), -1)
        place[rows] = np.arange(len(rows))
        self._ids = bytearray(np.array(np.frombuffer(self._ids, dtype="V16"))[rows].tobytes())
        for name in ("_status", "_stamp", "_value", "_weight", "_label"):
            column = getattr(self, name)
            setattr(self, name, array(column.typecode, np.array(column)[rows].tobytes()))
        self._statistics = [self._statistics[row] for row in rows]
        left = {name: place[np.array(members)] for name, members in self._groups.items()}
        self._groups = {name: array("q", at[at >= 0].tobytes()) for name, at in left.items() if at.max() >= 0}


# A score that says "scored" and has no value broke its contract: it counts as failed.
_FALLBACK = {"failed": FAILED, "not_scored": NOT_SCORED, "scored": FAILED}


def _weight(score: Score) -> float:
    return min(1.0 / score.inclusion_probability, LARGEST_WEIGHT)


def _label(score: Score) -> int:
    return UNLABELLED if score.label is None else int(score.label)
