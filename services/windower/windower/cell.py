"""The distinct scores of one metric in one window."""

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
    """Scores as columns, by id, and which of them belong to which group (`attribute=value`).

    Sums are taken when a window is emitted and not kept running: a score that is replaced by a better one could
    not be taken out of a minimum, and what is summed in sorted order does not depend on arrival.
    """

    _rows: dict[int, int] = field(default_factory=dict)
    _status: "array[int]" = field(default_factory=lambda: array("b"))
    _stamp: "array[float]" = field(default_factory=lambda: array("d"))
    _value: "array[float]" = field(default_factory=lambda: array("d"))
    _weight: "array[float]" = field(default_factory=lambda: array("d"))
    _label: "array[int]" = field(default_factory=lambda: array("b"))
    _statistics: list[Mapping[str, float]] = field(default_factory=list)
    _groups: "dict[str, array[int]]" = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, score: Score, called_at: float) -> bool:
        """Take `score`; False for a repeat, that is for anything no better than what its id already holds.

        Better is what has seen newer input, then scored over not_scored over failed, then the larger inclusion
        probability: a call that was handled twice at different rates was in the sample of the higher one both times.
        """
        status = SCORED if score.value is not None and score.status == "scored" else _FALLBACK[score.status]
        stamp = called_at if score.input_at is None else score.input_at.timestamp()
        number = score.score_id.int
        row = self._rows.get(number)
        if row is None:
            self._append(score, status, stamp)
            return True
        weight = _weight(score)
        if (stamp, status, -weight) <= (self._stamp[row], self._status[row], -self._weight[row]):
            return False
        self._stamp[row], self._status[row] = stamp, status
        self._value[row], self._label[row] = score.value or 0.0, _label(score)
        self._weight[row], self._statistics[row] = weight, score.statistics or NO_STATISTICS
        return True

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

    def _append(self, score: Score, status: int, stamp: float) -> None:
        row = self._rows[score.score_id.int] = len(self._rows)
        self._status.append(status)
        self._stamp.append(stamp)
        self._value.append(score.value or 0.0)
        self._weight.append(_weight(score))
        self._label.append(_label(score))
        self._statistics.append(score.statistics or NO_STATISTICS)
        for attribute, value in score.groups.items():
            self._groups.setdefault(f"{attribute}={value}", array("q")).append(row)


# A score that says "scored" and has no value broke its contract: it counts as failed.
_FALLBACK = {"failed": FAILED, "not_scored": NOT_SCORED, "scored": FAILED}


def _weight(score: Score) -> float:
    return min(1.0 / score.inclusion_probability, LARGEST_WEIGHT)


def _label(score: Score) -> int:
    return UNLABELLED if score.label is None else int(score.label)
