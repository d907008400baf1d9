"""What a window says of its scores."""

from math import fsum, log
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.messages import Sketch
from services.shared.corpus import corpus_value
from services.windower.windower.cell import FAILED, NOT_SCORED, SCORED, Rows

ALPHA = 0.01
_LOG_GAMMA = log((1 + ALPHA) / (1 - ALPHA))
Floats = npt.NDArray[np.float64]


def sums(rows: Rows, metric: str = "") -> dict[str, Any]:
    """The fields of a `Window` that count and add: raw counts, Horvitz–Thompson sums, extremes, quantile sketch.

    Where the scores of `metric` carry statistics, theirs too, and what all calls as one text are worth.

    The result is a function of the set of scores: rows are sorted before they are added, so that the order of
    arrival does not show in the last digit.
    """
    scored = rows.take(np.flatnonzero(rows.status == SCORED))
    scored = scored.take(np.lexsort((scored.label, scored.weight, scored.value)))
    value, weight, labelled = scored.value, scored.weight, scored.label == 1
    counts = {
        "count": len(value),
        "not_scored": int(np.count_nonzero(rows.status == NOT_SCORED)),
        "failed": int(np.count_nonzero(rows.status == FAILED)),
        "labelled": int(np.count_nonzero(labelled)),
    }
    if not len(value):
        return counts
    return (
        counts
        | {
            "weight": float(weight.sum()),
            "weight_squares": float((weight * weight).sum()),
            "weighted_sum": float((weight * value).sum()),
            "weighted_square_sum": float((weight * value * value).sum()),
            "labelled_weight": float(weight[labelled].sum()),
            "minimum": float(value[0]),
            "maximum": float(value[-1]),
            "sketch": sketch(value, weight),
        }
        | _corpus(scored, metric)
    )


def _corpus(scored: Rows, metric: str) -> dict[str, Any]:
    """Sums are exact, so that the order of arrival does not show: rows alike in value and weight may differ here."""
    terms: dict[str, list[float]] = {}
    for statistics, weight in zip(scored.statistics, scored.weight.tolist(), strict=True):
        for name, number in statistics.items():
            terms.setdefault(name, []).append(weight * number)
    statistics = {name: fsum(terms[name]) for name in sorted(terms)}
    return {"statistics": statistics, "corpus": corpus_value(metric, statistics)} if statistics else {}


def sketch(value: Floats, weight: Floats) -> Sketch:
    """The DDSketch of weighted values: a quantile read from it is off by at most 1 % relative."""
    zero = value == 0.0
    return Sketch(
        alpha=ALPHA,
        positive=_bins(value[value > 0], weight[value > 0]),
        negative=_bins(-value[value < 0], weight[value < 0]),
        zero=float(weight[zero].sum()),
    )


def _bins(magnitude: Floats, weight: Floats) -> dict[int, float]:
    if not len(magnitude):
        return {}
    index = np.ceil(np.log(magnitude) / _LOG_GAMMA).astype(np.int64)
    bins, place = np.unique(index, return_inverse=True)
    total = np.bincount(place, weights=weight)
    return dict(zip(bins.tolist(), total.tolist(), strict=True))
