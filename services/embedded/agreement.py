"""Two evaluations of the same calls held against each other."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import msgspec
import numpy as np
from scipy import stats


class Row(msgspec.Struct, frozen=True):
    """A line of scores; `call_id` or else `line` says of which call."""

    metric: str
    status: str
    value: float | None = None
    label: bool | None = None
    line: int | None = None
    call_id: str | None = None
    evaluator: str = ""
    evaluator_version: str = ""

    @property
    def key(self) -> str | int | None:
        """The call."""
        return self.line if self.call_id is None else self.call_id


Rows = Mapping[str, Mapping[str | int | None, Row]]


class Pair(NamedTuple):
    """What both say of one call."""

    call: str | int | None
    first: float
    second: float


@dataclass(frozen=True)
class Agreement:
    """One metric, first against second; numbers are None where too little is there to say them.

    `common` counts calls that both have, `changed_status` calls that one scored and the other did not.
    `rank_correlation` is Spearman's; `kappa` is Cohen's, the agreement of labels beyond chance; `worst` are the calls
    whose values differ most.
    """

    metric: str
    evaluators: tuple[str, str]
    common: int
    scored_by_both: int
    only_first: int
    only_second: int
    changed_status: int
    mean_first: float | None
    mean_second: float | None
    mean_difference: float | None
    mean_absolute_difference: float | None
    p95_absolute_difference: float | None
    largest_difference: float | None
    rank_correlation: float | None
    label_agreement: float | None
    kappa: float | None
    became_labelled: int
    lost_label: int
    worst: Sequence[Pair]

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self) | {"worst": [pair._asdict() for pair in self.worst]}


def read(lines: Iterable[bytes]) -> Rows:
    """Scores by metric and call, as `tidemark score` and `tidemark query --json` write them.

    Raises ValueError with the number of the first line that is no score, or that repeats a call and metric.
    """
    found: dict[str, dict[str | int | None, Row]] = defaultdict(dict)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = msgspec.json.decode(line, type=Row)
        except msgspec.DecodeError as error:
            raise ValueError(f"line {number} is no score: {error}") from None
        if row.key is None or row.key in found[row.metric]:
            said = "names no call: it needs line or call_id" if row.key is None else "repeats a call"
            raise ValueError(f"line {number} {said} ({row.metric}); compare one evaluator version at a time")
        found[row.metric][row.key] = row
    return found


def compare(first: Rows, second: Rows, worst: int = 5) -> list[Agreement]:
    """The agreement of every metric that both have, by name."""
    return [_compared(metric, first[metric], second[metric], worst) for metric in sorted(set(first) & set(second))]


def _compared(
    metric: str, first: Mapping[str | int | None, Row], second: Mapping[str | int | None, Row], worst: int
) -> Agreement:
    common = [(key, row, second[key]) for key, row in first.items() if key in second]
    pairs = [Pair(key, a.value, b.value) for key, a, b in common if a.value is not None and b.value is not None]
    labels = [(a.label, b.label) for _, a, b in common if a.label is not None and b.label is not None]
    return Agreement(
        metric=metric,
        evaluators=(_evaluator(first.values()), _evaluator(second.values())),
        common=len(common),
        scored_by_both=len(pairs),
        only_first=len(first) - len(common),
        only_second=len(second) - len(common),
        changed_status=sum(a.status != b.status for _, a, b in common),
        **_differences(pairs),
        **_labels(labels),
        worst=sorted(pairs, key=lambda pair: -abs(pair.second - pair.first))[:worst],
    )


def _evaluator(rows: Iterable[Row]) -> str:
    return ", ".join(sorted({f"{row.evaluator} {row.evaluator_version}".strip() for row in rows}))


def _differences(pairs: Sequence[Pair]) -> dict[str, Any]:
    names = ("mean_first", "mean_second", "mean_difference", "mean_absolute_difference", "p95_absolute_difference")
    if not pairs:
        return dict.fromkeys((*names, "largest_difference", "rank_correlation"))
    one, two = np.array([pair.first for pair in pairs]), np.array([pair.second for pair in pairs])
    gap = np.abs(two - one)
    found = (one.mean(), two.mean(), (two - one).mean(), gap.mean(), np.quantile(gap, 0.95))
    varied = np.ptp(one) > 0 and np.ptp(two) > 0
    rank = float(stats.spearmanr(one, two).statistic) if varied else None
    return {
        **dict(zip(names, map(float, found), strict=True)),
        "largest_difference": float(gap.max()),
        "rank_correlation": rank,
    }


def _labels(labels: Sequence[tuple[bool, bool]]) -> dict[str, Any]:
    became, lost = sum(not a and b for a, b in labels), sum(a and not b for a, b in labels)
    if not labels:
        return {"label_agreement": None, "kappa": None, "became_labelled": 0, "lost_label": 0}
    agreed = 1 - (became + lost) / len(labels)
    one, two = (sum(pair[side] for pair in labels) / len(labels) for side in (0, 1))
    by_chance = one * two + (1 - one) * (1 - two)
    kappa = (agreed - by_chance) / (1 - by_chance) if by_chance < 1 else None
    return {"label_agreement": agreed, "kappa": kappa, "became_labelled": became, "lost_label": lost}
