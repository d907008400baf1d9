"""What several windows of one metric say together."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import fsum, inf
from typing import Literal

from schemas.messages import Sketch, Window
from services.shared.corpus import corpus_value

Statistic = Literal["mean", "label_rate", "p50", "p95", "p99", "count", "corpus"]
QUANTILES: Mapping[str, float] = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True)
class Aggregate:
    """Sums over calls, each weighted by 1 / inclusion probability; `count` and its like are raw.

    `weight` estimates how many calls there were (Horvitz–Thompson), mean, rate and quantiles are of all of them
    (Hájek); raw counts are for minimum counts, `effective_size` for intervals. `corpus` is what all calls as one text
    are worth, for metrics whose scores carry statistics (BLEU, chrF): no mean of their values.

    >>> merge([]).mean is None
    True
    """

    count: int = 0
    not_scored: int = 0
    failed: int = 0
    weight: float = 0.0
    weight_squares: float = 0.0
    weighted_sum: float = 0.0
    weighted_square_sum: float = 0.0
    labelled_weight: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    sketch: Sketch | None = None
    statistics: Mapping[str, float] = field(default_factory=dict)
    corpus: float | None = None

    @property
    def effective_size(self) -> float:
        """How many equally weighted calls would tell as much (Kish)."""
        return self.weight**2 / self.weight_squares if self.weight_squares else 0.0

    @property
    def mean(self) -> float | None:
        """The weighted mean; None without calls."""
        return self.weighted_sum / self.weight if self.weight else None

    @property
    def variance(self) -> float | None:
        """The weighted variance, corrected for the effective size; None below two effective calls."""
        mean = self.mean
        if mean is None or self.effective_size <= 1.0 + 1e-9:
            return None
        raw = max(0.0, self.weighted_square_sum / self.weight - mean * mean)  # a power would raise where this is inf
        return raw * self.effective_size / (self.effective_size - 1.0)

    @property
    def label_rate(self) -> float | None:
        """The weighted share of labelled calls; None without calls."""
        return self.labelled_weight / self.weight if self.weight else None

    def quantile(self, share: float) -> float | None:
        """The value below which `share` of the weight lies, off by the sketch's alpha; None without a sketch."""
        bins = list(_bins(self.sketch)) if self.sketch else []
        rank = share * max(0.0, sum(weight for _, weight in bins) - 1.0)
        total = 0.0
        for value, weight in bins:
            total += weight
            if total > rank:
                return self._within_range(value)
        return self._within_range(bins[-1][0]) if bins else None

    def share_above(self, level: float) -> float | None:
        """The share of the weight above `level`; None without a sketch."""
        bins = list(_bins(self.sketch)) if self.sketch else []
        total = sum(weight for _, weight in bins)
        return sum(weight for value, weight in bins if value > level) / total if total else None

    def statistic(self, name: Statistic) -> float | None:
        """The named statistic; None where there is nothing to take it from."""
        if name in QUANTILES:
            return self.quantile(QUANTILES[name])
        if name == "count":
            return self.weight
        return {"mean": self.mean, "label_rate": self.label_rate, "corpus": self.corpus}[name]

    def _within_range(self, value: float) -> float:
        lowest = -inf if self.minimum is None else self.minimum
        highest = inf if self.maximum is None else self.maximum
        return min(max(value, lowest), highest)


def merge(windows: Iterable[Window]) -> Aggregate:
    """The sums of `windows`, which must not share calls: other partitions, other intervals."""
    parts = list(windows)
    statistics = _summed(parts)
    return Aggregate(
        count=sum(part.count for part in parts),
        not_scored=sum(part.not_scored for part in parts),
        failed=sum(part.failed for part in parts),
        weight=sum(part.weight for part in parts),
        weight_squares=sum(part.weight_squares for part in parts),
        weighted_sum=sum(part.weighted_sum for part in parts),
        weighted_square_sum=sum(part.weighted_square_sum for part in parts),
        labelled_weight=sum(part.labelled_weight for part in parts),
        minimum=min((part.minimum for part in parts if part.minimum is not None), default=None),
        maximum=max((part.maximum for part in parts if part.maximum is not None), default=None),
        sketch=_merged([part.sketch for part in parts if part.sketch is not None]),
        statistics=statistics,
        corpus=corpus_value(parts[0].metric, statistics) if statistics else None,
    )


def _summed(parts: list[Window]) -> dict[str, float]:
    names = sorted({name for part in parts for name in part.statistics})
    return {name: fsum(part.statistics.get(name, 0.0) for part in parts) for name in names}


def _merged(sketches: list[Sketch]) -> Sketch | None:
    if not sketches:
        return None
    alpha = sketches[0].alpha
    alike = [sketch for sketch in sketches if sketch.alpha == alpha]  # bins of another alpha mean other values
    return Sketch(
        alpha=alpha,
        positive=_added(sketch.positive for sketch in alike),
        negative=_added(sketch.negative for sketch in alike),
        zero=sum(sketch.zero for sketch in alike),
    )


def _added(bins: Iterable[Mapping[int, float]]) -> dict[int, float]:
    total: dict[int, float] = {}
    for part in bins:
        for index, weight in part.items():
            total[index] = total.get(index, 0.0) + weight
    return total


def _bins(sketch: Sketch) -> Iterator[tuple[float, float]]:
    """(value, weight) of every bin that holds something, values ascending."""
    gamma = (1 + sketch.alpha) / (1 - sketch.alpha)
    middle = 2 / (1 + gamma)
    for index, weight in sorted(sketch.negative.items(), reverse=True):
        yield -middle * gamma**index, weight
    if sketch.zero:
        yield 0.0, sketch.zero
    for index, weight in sorted(sketch.positive.items()):
        yield middle * gamma**index, weight
