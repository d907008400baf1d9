"""How surely a window is beyond a level or beyond its baseline."""

from math import floor

import numpy as np
from scipy.special import bdtrc, betaln, gammaln, stdtr

from services.shared.aggregate import QUANTILES, Aggregate, Statistic

NONE = 1.0  # the p-value of what cannot be judged
CENTRES = ("mean", "corpus")


def p_beyond_level(observed: Aggregate, statistic: Statistic, level: float, *, above: bool) -> float:
    """The p-value of `statistic` being at most at `level` (or at least, where not `above`).

    Means by a t-test (a corpus value with the error of the mean of its sentences, which is about its own), label rates
    and quantiles by the exact binomial tail, both on effective sizes. Not for `count`, which is no estimate: 0. Calls
    are taken as independent: bursts of one user look surer than they are.
    """
    if statistic == "count":
        return 0.0
    if statistic in CENTRES:
        return _p_mean(observed, None, statistic, level, above=above)
    if statistic == "label_rate":
        rate = observed.label_rate
        return NONE if rate is None else _binomial(rate, observed.effective_size, level, above=above)
    beyond = observed.share_above(level)
    share = 1.0 - QUANTILES[statistic]
    return NONE if beyond is None else _binomial(beyond, observed.effective_size, share, above=above)


def p_beyond_baseline(
    observed: Aggregate, baseline: Aggregate, statistic: Statistic, margin: tuple[float, float], *, above: bool
) -> float:
    """The p-value of `observed` being no worse than `margin[0] * baseline + margin[1]`.

    Means by Welch's t-test with the larger of both variances on the window's side, because a small window
    underestimates its own; label rates and quantiles by a beta-binomial tail, which carries the baseline's own
    uncertainty. Not for a baseline that itself drifts faster than its windows are renewed.
    """
    factor, offset = margin
    if statistic == "count":
        return 0.0
    if statistic in CENTRES:
        return _p_mean(observed, baseline, statistic, factor, offset=offset, above=above)
    if statistic == "label_rate":
        return _p_rate(observed, baseline, margin, above=above)
    level = baseline.statistic(statistic)
    beyond = None if level is None else observed.share_above(factor * level + offset)
    if beyond is None:
        return NONE
    share = 1.0 - QUANTILES[statistic]
    return _beta_binomial(beyond, observed.effective_size, (share, baseline.effective_size), above=above)


def _p_rate(observed: Aggregate, baseline: Aggregate, margin: tuple[float, float], *, above: bool) -> float:
    rate, base = observed.label_rate, baseline.label_rate
    if rate is None or base is None:
        return NONE
    size = baseline.effective_size
    smoothed = (base * size + 1.0) / (size + 2.0)
    expected = min(max(margin[0] * smoothed + margin[1], 1e-9), 1.0 - 1e-9)
    return _beta_binomial(rate, observed.effective_size, (expected, size), above=above)


def _p_mean(
    observed: Aggregate,
    baseline: Aggregate | None,
    statistic: Statistic,
    level: float,
    *,
    offset: float = 0.0,
    above: bool,
) -> float:
    centre, size = observed.statistic(statistic), observed.effective_size
    if centre is None or observed.variance is None:
        return NONE
    if baseline is None:
        return _t_tail(centre - level, observed.variance / size, size - 1.0, above=above)
    theirs_centre = baseline.statistic(statistic)
    if theirs_centre is None or baseline.variance is None:
        return NONE
    own = max(observed.variance, baseline.variance) / size
    theirs = level**2 * baseline.variance / baseline.effective_size
    scale = own**2 / (size - 1.0) + theirs**2 / (baseline.effective_size - 1.0)
    degrees = (own + theirs) ** 2 / scale if scale else size - 1.0
    return _t_tail(centre - (level * theirs_centre + offset), own + theirs, degrees, above=above)


def _t_tail(difference: float, squared_error: float, degrees: float, *, above: bool) -> float:
    signed = difference if above else -difference
    if squared_error <= 0.0:
        return 0.0 if signed > 0.0 else NONE
    return float(stdtr(degrees, -signed / squared_error**0.5))


def _binomial(rate: float, size: float, expected: float, *, above: bool) -> float:
    trials, hits, chance = _tail(rate, size, expected, above=above)
    if hits <= 0:
        return NONE
    return float(bdtrc(hits - 1, trials, min(max(chance, 0.0), 1.0)))


def _beta_binomial(rate: float, size: float, prior: tuple[float, float], *, above: bool) -> float:
    """The chance of at least as many hits where the baseline saw a share of `prior[0]` in `prior[1]` calls."""
    trials, hits, chance = _tail(rate, size, prior[0], above=above)
    if hits <= 0:
        return NONE
    concentration = prior[1] + 2.0
    a = min(max(chance * concentration, 1.0), concentration - 1.0)
    b = concentration - a
    k = np.arange(hits, trials + 1, dtype=np.float64)
    choose = gammaln(trials + 1.0) - gammaln(k + 1.0) - gammaln(trials - k + 1.0)
    return float(min(1.0, np.exp(choose + betaln(k + a, trials - k + b) - betaln(a, b)).sum()))


def _tail(rate: float, size: float, expected: float, *, above: bool) -> tuple[int, int, float]:
    """Trials, hits and the chance of one, with hits on the bad side; both rounded down."""
    trials = floor(size + 1e-9)
    bad, chance = (rate, expected) if above else (1.0 - rate, 1.0 - expected)
    return trials, min(trials, floor(bad * size + 1e-9)), chance
