"""What windows say of a sample is what they would have said of everything, within the interval that they claim."""

from functools import cache
from uuid import UUID

import numpy as np
import pytest
from msgspec.structs import replace

from schemas.messages import CallError
from services.alerter.alerter.significance import p_beyond_level
from services.shared.aggregate import merge
from services.shared.sampling import LagBounds, Sampler
from services.shared.scoring import Evaluator, Measured, Metric
from services.shared.tumbling import Timing
from services.windower.windower import Partition
from tests.support.messages import CALLED_AT, a_call

CALLS, REPEATS, ERRORS = 500, 100, 0.15
SLOW = Metric("duration_seconds", unit="s", worse="higher", threshold=3.0)
STATISTICS = ("mean", "label_rate", "p50", "p95")
RATES = (0.5, 0.25, 0.125)


def traffic(random):
    """A population: calls with errors take longer, and so they are slow more often."""
    failed = random.random(CALLS) < ERRORS
    seconds = random.gamma(2.0, 1.0, CALLS) + np.where(failed, 2.0, 0.0)
    error = CallError(kind="timeout")
    return [
        a_call(call_id=UUID(bytes=random.bytes(16)), duration_seconds=float(value), error=error if bad else None)
        for value, bad in zip(seconds, failed, strict=True)
    ]


def scored(calls):
    """The score of each call."""
    evaluator = Evaluator("latency", "1")
    return [evaluator.score(call, SLOW, Measured(call.duration_seconds)) for call in calls]


def window_of(scores):
    """One window, by the windower's own code."""
    start = CALLED_AT.timestamp()
    partition = Partition(0, [60], timing=Timing(settle_seconds=0))
    for offset, score in enumerate(scores):
        partition.add(score, offset)
    list(partition.tick(start))
    (window,) = partition.tick(start + 600)
    return merge([window])


@cache
def samples(rate):
    """(statistics of all calls, weighted window of the sample, the same window unweighted), many times over."""
    random, sampler = np.random.default_rng(20), Sampler("test", LagBounds())
    found = []
    for _ in range(REPEATS):
        everything = traffic(random)
        kept = scored([call for offered in everything if (call := sampler.take(offered, rate))])
        naive = [replace(score, inclusion_probability=1.0) for score in kept]
        found.append((window_of(scored(everything)), window_of(kept), window_of(naive)))
    return found


def covered(observed, statistic, truth):
    """Whether `truth` lies in the two-sided 95 % interval: no one-sided test at 2.5 % tells it from `observed`."""
    tails = (p_beyond_level(observed, statistic, truth, above=above) for above in (True, False))
    return min(tails) > 0.025


def coverage(rate, statistic, which):
    return np.mean([covered(each[which], statistic, each[0].statistic(statistic)) for each in samples(rate)])


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("statistic", STATISTICS)
def test_weighted_estimates_agree_with_the_population_at_the_nominal_rate(rate, statistic):
    assert coverage(rate, statistic, 1) >= 0.95 - 3 * (0.95 * 0.05 / REPEATS) ** 0.5


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("statistic", ["mean", "label_rate", "p50"])
def test_the_same_estimates_without_weights_do_not(rate, statistic):
    assert coverage(rate, statistic, 2) < 0.8


# What lies above the p95 is not told from it by so few calls: of 70, none is beyond it often enough.
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(("statistic", "by"), [("mean", 5), ("label_rate", 5), ("p50", 5), ("p95", -5)])
def test_the_intervals_are_not_just_wide(rate, statistic, by):
    """What is off by five standard deviations of the estimate itself is found out."""
    found = samples(rate)
    errors = np.array([kept.statistic(statistic) - full.statistic(statistic) for full, kept, _ in found])
    off = by * errors.std()
    assert np.mean([covered(kept, statistic, full.statistic(statistic) + off) for full, kept, _ in found]) < 0.5


@pytest.mark.parametrize("rate", RATES)
def test_counts_are_unbiased_and_raw_ones_stay_raw(rate):
    weights = np.array([kept.statistic("count") for _, kept, _ in samples(rate)])
    assert abs(weights.mean() - CALLS) <= 4 * weights.std() / REPEATS**0.5
    assert all(kept.count < 0.9 * CALLS and kept.effective_size <= kept.count for _, kept, _ in samples(rate))


@pytest.mark.parametrize("statistic", ["mean", "label_rate", "p50", "p95"])
def test_estimates_are_unbiased(statistic):
    errors = np.array([kept.statistic(statistic) - full.statistic(statistic) for full, kept, _ in samples(0.25)])
    tolerance = 4 * errors.std() / REPEATS**0.5 + (0.01 * 6 if statistic.startswith("p") else 0.0)  # the sketch's
    assert abs(errors.mean()) <= tolerance
