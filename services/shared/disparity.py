"""How differently groups of calls fare: difference and ratio with intervals, four-fifths rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, sqrt
from typing import Literal

from services.shared.aggregate import Aggregate
from services.shared.intervals import Interval, koopman, newcombe, t_quantile

Level = Literal["label_rate", "mean"]
Outcome = Literal["labelled", "unlabelled"]
FOUR_FIFTHS = 0.8  # Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4(D)


@dataclass(frozen=True)
class Disparity:
    """One group of an attribute against all of its other groups together.

    `difference` is group minus others, `ratio` group over others; None where nothing can be said of it (nobody is
    labelled, a mean that is not above 0). `impact` is the share of calls with the favourable outcome in this group over
    that of the group where it is largest: below `FOUR_FIFTHS` a rule of thumb sees adverse impact, whatever the
    interval.
    """

    value: str
    own: Aggregate
    others: Aggregate
    level: float
    other_level: float
    difference: Interval
    ratio: Interval | None
    impact: float | None


def disparities(
    groups: Mapping[str, Aggregate],
    statistic: Level = "label_rate",
    *,
    minimum_count: int = 20,
    alpha: float = 0.05,
    favourable: Outcome = "unlabelled",
) -> list[Disparity]:
    """Each group of one attribute against the others, by name; intervals cover with probability 1 - `alpha` each.

    `groups` are disjoint calls by value of the attribute; `favourable` is the outcome that is good for a call: most
    labels are of what is bad. Groups and others with fewer than `minimum_count` scored
    calls are left out (but count among the others). Rates: Newcombe's hybrid score interval (1998, method 10) for the
    difference, Koopman's score interval (1984) for the ratio; means: Welch, and the same on the logarithm (delta
    method). Sizes are effective ones (Kish), so weights widen the intervals: exact in the long run where inclusion
    does not depend on what is judged, too wide where the labelled are fewer than half and sampled first (errors
    under lag). Not for calls that hang together: ten calls of one user tell less than ten users' do.
    """
    found = []
    best = max((_favoured(each, favourable) for each in groups.values() if each.count >= minimum_count), default=0.0)
    for value, own in sorted(groups.items()):
        others = together([each for name, each in groups.items() if name != value])
        if min(own.count, others.count) < minimum_count:
            continue
        compare = _rates if statistic == "label_rate" else _means
        difference, ratio = compare(own, others, alpha)
        impact = _favoured(own, favourable) / best if statistic == "label_rate" and best else None
        levels = own.statistic(statistic) or 0.0, others.statistic(statistic) or 0.0
        found.append(Disparity(value, own, others, *levels, difference, ratio, impact))
    return found


def together(parts: Sequence[Aggregate]) -> Aggregate:
    """The sums that disparity needs, of disjoint calls; extremes and sketches are left out."""
    names = ("count", "not_scored", "failed", "weight", "weight_squares", "weighted_sum", "weighted_square_sum")
    sums = {name: sum(getattr(part, name) for part in parts) for name in (*names, "labelled_weight")}
    return Aggregate(**sums)


def _favoured(group: Aggregate, favourable: Outcome) -> float:
    labelled = group.label_rate or 0.0
    return labelled if favourable == "labelled" else 1.0 - labelled


def _rates(own: Aggregate, others: Aggregate, alpha: float) -> tuple[Interval, Interval | None]:
    first, second = ((min(1.0, each.label_rate or 0.0), each.effective_size) for each in (own, others))
    return newcombe(first, second, alpha), koopman(first, second, alpha)


def _means(own: Aggregate, others: Aggregate, alpha: float) -> tuple[Interval, Interval | None]:
    one, two = own.mean or 0.0, others.mean or 0.0
    errors = _squared_error(own), _squared_error(others)
    degrees = _degrees(errors, (own, others))
    half = t_quantile(alpha, degrees) * sqrt(sum(errors))
    difference = Interval(one - two, one - two - half, one - two + half)
    if min(one, two) <= 0:
        return difference, None
    relative = errors[0] / one / one, errors[1] / two / two  # the square of a tiny mean is 0
    ratio = one / two
    if not (0 < ratio < inf and sum(relative) < inf):
        return difference, None
    factor = exp(min(700.0, t_quantile(alpha, _degrees(relative, (own, others))) * sqrt(sum(relative))))
    return difference, Interval(ratio, ratio / factor, ratio * factor)


def _squared_error(group: Aggregate) -> float:
    return (group.variance or 0.0) / group.effective_size if group.effective_size else 0.0


def _degrees(errors: tuple[float, float], groups: tuple[Aggregate, Aggregate]) -> float:
    """Welch and Satterthwaite's degrees of freedom."""
    largest = max(errors)
    if not 0 < largest < inf:
        return inf
    shares = [error / largest for error in errors]  # of any magnitude their squares are numbers
    scale = sum(share**2 / (group.effective_size - 1) for share, group in zip(shares, groups, strict=True) if share > 0)
    return sum(shares) ** 2 / scale
