"""What values are worth against labels: ranking, calibration, flags, pairs. Labels are 1 for the bad class."""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score, roc_curve

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
BINS = 10
FEWEST = 20  # rows of a slice that is told
CORNERS = 41  # of a ROC curve that is kept


def auroc(labels: Labels, values: Floats) -> float | None:
    """The chance that a bad row ranks above a good one, ties half; None where there are not both."""
    return round(float(roc_auc_score(labels, values)), 3) if len(set(labels.tolist())) == 2 else None


def auroc_error(area: float, bad: int, good: int) -> float:
    """The standard error of an AUROC (Hanley and McNeil, Radiology 1982).

    >>> auroc_error(0.9, 50, 50)
    0.032
    """
    one, other = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (bad - 1) * (one - area**2) + (good - 1) * (other - area**2)
    return round(sqrt(max(0.0, variance) / (bad * good)), 3)


def average_precision(labels: Labels, values: Floats) -> float:
    """The mean of precisions over the recalls, without interpolation."""
    return round(float(average_precision_score(labels, values)), 3)


def f1(labels: Labels, flags: npt.NDArray[np.bool_]) -> float:
    """The harmonic mean of precision and recall of the flags."""
    return round(float(f1_score(labels, flags, zero_division=0.0)), 3)


def calibration_curve(labels: Labels, values: Floats) -> list[tuple[float, float, int]]:
    """Mean value, share of bad rows and rows, in ten parts of equal count by value."""
    parts = [part for part in np.array_split(np.argsort(values, kind="stable"), BINS) if len(part)]
    return [(round(float(values[part].mean()), 4), round(float(labels[part].mean()), 4), len(part)) for part in parts]


def calibration_error(labels: Labels, values: Floats) -> float:
    """The mean distance of value and share over the parts of the calibration curve, weighed by rows (ECE)."""
    curve = calibration_curve(labels, values)
    return round(sum(count * abs(value - share) for value, share, count in curve) / len(labels), 3)


def roc(labels: Labels, values: Floats) -> list[tuple[float, float]]:
    """False and true positive rates, at even steps along the curve."""
    falsely, rightly, _ = roc_curve(labels, values)
    kept = np.unique(np.linspace(0, len(falsely) - 1, min(CORNERS, len(falsely))).round().astype(int))
    return [(round(float(falsely[at]), 4), round(float(rightly[at]), 4)) for at in kept]


def share(flags: npt.NDArray[np.bool_]) -> float | None:
    """The share that is true; None of nothing."""
    return round(float(flags.mean()), 4) if len(flags) else None


def length_quintiles(lengths: Sequence[int]) -> list[npt.NDArray[np.int64]]:
    """The places of the rows in five parts of equal count, from the shortest to the longest."""
    return np.array_split(np.argsort(lengths, kind="stable"), 5)


def mean_within(parts: Sequence[npt.NDArray[np.int64]], labels: Labels, values: Floats) -> float | None:
    """The mean AUROC over those parts that hold both classes."""
    areas = [area for part in parts if (area := auroc(labels[part], values[part])) is not None]
    return round(float(np.mean(areas)), 3) if areas else None


def pairs_ranked(pairs: Sequence[str], labels: Labels, values: Floats) -> dict[str, Any] | None:
    """The share of pairs whose bad rows rank above their good ones, ties half; None without pairs."""
    groups: dict[str, list[int]] = {}
    for at, pair in enumerate(pairs):
        groups.setdefault(pair, []).append(at)
    areas = [
        float(roc_auc_score(labels[places], values[places]))
        for pair, places in groups.items()
        if pair and len({*labels[places].tolist()}) == 2
    ]
    return {"pairs": len(areas), "ranked_right": round(float(np.mean(areas)), 3)} if areas else None


def by_slice(
    slices: Sequence[Mapping[str, str]], labels: Labels, values: Floats, flags: npt.NDArray[np.bool_]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Of each slice of at least twenty rows: rows, AUROC, flags on good rows and on bad ones."""
    places: dict[tuple[str, str], list[int]] = {}
    for at, named in enumerate(slices):
        for item in named.items():
            places.setdefault(item, []).append(at)
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for (kind, name), rows in sorted(places.items()):
        if len(rows) >= FEWEST:
            own, flagged = labels[rows], flags[rows]
            found.setdefault(kind, {})[name] = {
                "rows": len(rows),
                "auroc": auroc(own, values[rows]),
                "flagged_good": share(flagged[own == 0]) if (own == 0).sum() >= FEWEST else None,
                "flagged_bad": share(flagged[own == 1]) if (own == 1).sum() >= FEWEST else None,
            }
    return found
