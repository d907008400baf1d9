"""Confidence intervals of rates, their difference and their ratio, on sizes that need not be whole."""

from collections.abc import Callable
from math import hypot, inf, sqrt
from statistics import NormalDist
from typing import NamedTuple

Rate = tuple[float, float]  # the rate, and of how many
_STEPS = 60  # bisections: to the last digits of a double


class Interval(NamedTuple):
    """An estimate and the confidence interval around it."""

    estimate: float
    low: float
    high: float


def wilson(rate: float, size: float, alpha: float = 0.05) -> tuple[float, float]:
    """The score interval of a rate (Wilson 1927).

    >>> [round(bound, 4) for bound in wilson(0.0, 10)]
    [0.0, 0.2775]
    """
    z = _z(alpha)
    centre, scale = rate + z * z / (2 * size), 1 + z * z / size
    half = z * sqrt(rate * (1 - rate) / size + z * z / (4 * size * size))
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def newcombe(first: Rate, second: Rate, alpha: float = 0.05) -> Interval:
    """The difference of two rates, each a (rate, size): Newcombe 1998, method 10.

    >>> "{:.2f} ({:.4f}, {:.4f})".format(*newcombe((56 / 70, 70), (48 / 80, 80)))
    '0.20 (0.0524, 0.3339)'
    """
    one, two = first[0], second[0]
    (low_one, high_one), (low_two, high_two) = wilson(*first, alpha), wilson(*second, alpha)
    below = hypot(one - low_one, high_two - two)
    above = hypot(high_one - one, two - low_two)
    return Interval(one - two, one - two - below, one - two + above)


def koopman(first: Rate, second: Rate, alpha: float = 0.05) -> Interval | None:
    """The ratio of two rates, each a (rate, size): the values that a score test does not refuse (Koopman 1984).

    None where both rates are 0; the estimate is infinite where only the second is.

    >>> "{:.1f} ({:.2f}, {:.2f})".format(*koopman((36 / 40, 40), (16 / 80, 80)))
    '4.5 (2.94, 7.15)'
    """
    one, two = first[0], second[0]
    if not one and not two:
        return None
    z = _z(alpha)
    estimate = one / two if two else inf
    low = 0.0 if not one else _root(lambda ratio: _score(first, second, ratio) - z, estimate if two else 1.0)
    high = inf if not two else _root(lambda ratio: _score(first, second, ratio) + z, estimate if one else 1.0)
    return Interval(estimate, low, high)


def _score(first: Rate, second: Rate, ratio: float) -> float:
    """The score statistic of `first / second == ratio`, which falls as the ratio grows."""
    (one, size_one), (two, size_two) = first, second
    squared = ratio * (size_one + size_two)
    linear = ratio * (size_one + two * size_two) + size_two + one * size_one
    constant = one * size_one + two * size_two
    restricted = (linear - sqrt(max(0.0, linear * linear - 4 * squared * constant))) / (2 * squared)
    rate_one, rate_two = ratio * restricted, restricted
    variance = rate_one * (1 - rate_one) / size_one + ratio**2 * rate_two * (1 - rate_two) / size_two
    distance = one - ratio * two
    return distance / sqrt(variance) if variance > 0 else inf * distance if distance else 0.0


def _root(falling: Callable[[float], float], near: float) -> float:
    """Where a falling function of a positive number is 0, by bisection of its logarithm."""
    low = high = near
    while low > 1e-12 and falling(low) <= 0:
        low /= 4
    while high < 1e12 and falling(high) > 0:
        high *= 4
    for _ in range(_STEPS):
        middle = sqrt(low * high)
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return sqrt(low * high)


def t_quantile(alpha: float, degrees: float) -> float:
    """The quantile of Student's t from the normal one (Cornish and Fisher): to 1 % for 5 degrees, 0.1 % for 10.

    >>> round(t_quantile(0.05, 20), 3), round(t_quantile(0.05, inf), 3)
    (2.086, 1.96)
    """
    z, v = _z(alpha), max(degrees, 1.0)
    second = (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
    return z + (z**3 + z) / (4 * v) + second + third


def _z(alpha: float) -> float:
    return NormalDist().inv_cdf(1 - alpha / 2)
