"""What a window says of its scores."""

from math import log
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.messages import Sketch
from services.windower.windower.cell import FAILED, NOT_SCORED, SCORED, Rows

ALPHA = 0.01
_LOG_GAMMA = log((1 + ALPHA) / (1 - ALPHA))
Floats = npt.NDArray[np.float64]


def sums(rows: Rows) -> dict[str, Any]:
    """The fields of a `Window` that count and add: raw counts, Horvitz–Thompson sums, extremes, quantile sketch.

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
    return counts | {
        "weight": float(weight.sum()),
        "weight_squares": float((weight * weight).sum()),
        "weighted_sum": float((weight * value).sum()),
        "weighted_square_sum": float((weight * value * value).sum()),
        "labelled_weight": float(weight[labelled].sum()),
        "minimum": float(value[0]),
        "maximum": float(value[-1]),
        "sketch": sketch(value, weight),
    }


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
