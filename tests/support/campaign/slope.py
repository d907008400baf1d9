"""Whether something grows: a line through what was sampled, and how steep it may be at most."""

import math
from itertools import groupby
from typing import NamedTuple

from scipy import stats

CONFIDENCE = 0.95
BLOCK_SECONDS = 60.0


class Slope(NamedTuple):
    """Units an hour: the line's own, and the bound that the true one is below at 95 %."""

    per_hour: float
    upper: float


def floors(samples, seconds=BLOCK_SECONDS):
    """The least of each minute, at the minute's middle: what is there when nothing passes through.

    A leak raises it; a merge or a long answer, which comes and goes, does not. Samples of one moment know of each
    other, and taken one by one would feign a certainty.

    >>> floors([(0, 1.0), (30, 3.0), (60, 5.0)])
    [(30.0, 1.0), (90.0, 5.0)]
    """
    minutes = groupby(samples, key=lambda sample: math.floor(sample[0] / seconds))
    return [((minute + 0.5) * seconds, min(value for _, value in inside)) for minute, inside in minutes]


def slope(samples):
    """The least-squares line through (seconds, value), by the floors of minutes; None of fewer than four minutes.

    The bound is one-sided and takes what is left of the line as independent from minute to minute: a slow wave (a
    cache that fills, a heap that is collected once an hour) reads as a slope until the run is longer than it.
    """
    points = floors(samples)
    if len(points) < 4:
        return None
    hours, values = zip(*((at / 3600, value) for at, value in points), strict=True)
    line = stats.linregress(hours, values)
    reach = stats.t.ppf(CONFIDENCE, len(points) - 2) * line.stderr
    return Slope(float(line.slope), float(line.slope + reach))


def settled(samples, share=0.25):
    """What comes after the first share of the time, in which caches fill."""
    if not samples:
        return []
    begun, ended = samples[0][0], samples[-1][0]
    return [sample for sample in samples if sample[0] >= begun + share * (ended - begun)]
