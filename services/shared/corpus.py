"""What many calls are worth as one text, for metrics whose scores are no terms of a mean.

The corpus BLEU of a thousand sentences is not the mean of their thousand sentence BLEUs. Such a metric gives each score
the statistics that add, and the formula stands here, because windows are merged by several services.
"""

from collections.abc import Callable, Mapping
from math import exp, log

Statistics = Mapping[str, float]

BLEU_ORDER = 4
CHRF_ORDER, CHRF_BETA = 6, 2


def corpus_value(metric: str, statistics: Statistics) -> float | None:
    """The value of the sums `statistics` of `metric`; None for a metric that has no such value."""
    formula = FORMULAS.get(metric)
    return formula(statistics) if formula else None


def corpus_bleu(sums: Statistics) -> float:
    """BLEU in [0, 100] (Papineni et al., ACL 2002) with sacrebleu's exponential smoothing, of one reference each.

    `hypothesis_length`, `reference_length` in tokens; `matches_n` and `hypothesis_n` n-grams, n from 1 to 4.

    >>> corpus_bleu({"hypothesis_length": 4, "reference_length": 4}
    ...     | {f"matches_{n}": 5 - n for n in (1, 2, 3, 4)} | {f"hypothesis_{n}": 5 - n for n in (1, 2, 3, 4)})
    100.0
    """
    matches = [sums.get(f"matches_{n}", 0.0) for n in range(1, BLEU_ORDER + 1)]
    totals = [sums.get(f"hypothesis_{n}", 0.0) for n in range(1, BLEU_ORDER + 1)]
    if not any(matches) or not all(totals):
        return 0.0
    smoothing, logarithms = 1.0, 0.0
    for matched, total in zip(matches, totals, strict=True):
        smoothing *= 1.0 if matched else 2.0
        logarithms += log((matched or 1.0 / smoothing) / total)
    return 100.0 * _brevity(sums) * exp(logarithms / BLEU_ORDER)


def corpus_chrf(sums: Statistics) -> float:
    """chrF2 in [0, 100] (Popović, WMT 2015), of one reference each.

    `hypothesis_n`, `reference_n` and `matches_n` count character n-grams, n from 1 to 6; orders that either side
    lacks do not count.

    >>> corpus_chrf({"hypothesis_1": 2, "reference_1": 2, "matches_1": 2})
    100.0
    """
    orders = [
        (sums.get(f"matches_{n}", 0.0), sums.get(f"hypothesis_{n}", 0.0), sums.get(f"reference_{n}", 0.0))
        for n in range(1, CHRF_ORDER + 1)
    ]
    counted = [order for order in orders if order[1] and order[2]]
    if not counted:
        return 0.0
    precision = sum(matched / theirs for matched, theirs, _ in counted) / len(counted)
    recall = sum(matched / wanted for matched, _, wanted in counted) / len(counted)
    weight = CHRF_BETA**2
    below = weight * precision + recall
    return 100.0 * (1 + weight) * precision * recall / below if below else 0.0


def _brevity(sums: Statistics) -> float:
    length, wanted = sums.get("hypothesis_length", 0.0), sums.get("reference_length", 0.0)
    return 1.0 if length >= wanted else exp(1.0 - wanted / length)


FORMULAS: Mapping[str, Callable[[Statistics], float]] = {"bleu": corpus_bleu, "chrf": corpus_chrf}
