"""The tests of significance, against scipy and against the level they promise."""

import numpy as np
import pytest
from scipy import stats

from services.alerter.alerter.significance import p_beyond_baseline, p_beyond_level
from services.shared.aggregate import merge

from .streams import a_window

SAME = (1.0, 0.0)


def aggregate(values):
    return merge([a_window("m", values)])


def test_a_mean_against_a_level_is_the_t_test():
    values = np.random.default_rng(0).gamma(2, 0.1, 25)
    expected = stats.ttest_1samp(values, 0.15, alternative="greater").pvalue
    assert p_beyond_level(aggregate(values), "mean", 0.15, above=True) == pytest.approx(expected, rel=1e-9)


def test_a_rate_against_a_level_is_the_binomial_test():
    values = [1.0] * 4 + [0.0] * 16
    expected = stats.binomtest(4, 20, 0.05, alternative="greater").pvalue
    assert p_beyond_level(aggregate(values), "label_rate", 0.05, above=True) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("statistic", "share"), [("p50", 0.5), ("p95", 0.05), ("p99", 0.01)])
def test_a_quantile_against_a_level_is_the_binomial_test_of_how_many_lie_beyond(statistic, share):
    observed = aggregate([1.0] * 4 + [0.1] * 16)
    above = stats.binomtest(4, 20, share, alternative="greater").pvalue
    below = stats.binomtest(16, 20, 1 - share, alternative="greater").pvalue
    assert p_beyond_level(observed, statistic, 0.5, above=True) == pytest.approx(above, rel=1e-9)
    assert p_beyond_level(observed, statistic, 0.5, above=False) == pytest.approx(below, rel=1e-9)


def test_a_rate_against_a_baseline_is_the_beta_binomial_tail():
    observed, baseline = aggregate([1.0] * 4 + [0.0] * 16), aggregate([1.0] * 3 + [0.0] * 97)
    expected = stats.betabinom.sf(3, 20, 4, 98)
    assert p_beyond_baseline(observed, baseline, "label_rate", SAME, above=True) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("statistic", ["mean", "label_rate", "p50", "p95"])
@pytest.mark.parametrize("above", [True, False])
def test_like_is_seldom_called_unlike(statistic, above):
    random = np.random.default_rng(7)
    baseline = aggregate(random.beta(2, 5, 300))
    p_values = [
        p_beyond_baseline(aggregate(random.beta(2, 5, 20)), baseline, statistic, SAME, above=above) for _ in range(1000)
    ]
    assert np.mean(np.array(p_values) <= 0.01) <= 0.03


@pytest.mark.parametrize("statistic", ["mean", "label_rate", "p50"])
def test_a_clear_change_is_found_in_twenty_calls(statistic):
    random = np.random.default_rng(7)
    baseline, observed = aggregate(random.beta(2, 5, 300)), aggregate(random.beta(5, 2, 20))
    assert p_beyond_baseline(observed, baseline, statistic, SAME, above=True) < 1e-3
    assert p_beyond_baseline(baseline, observed, statistic, SAME, above=False) < 1e-3


@pytest.mark.parametrize("statistic", ["p95", "p99"])
def test_a_clear_change_of_a_high_quantile_is_found(statistic):
    random = np.random.default_rng(7)
    baseline, observed = aggregate(random.beta(2, 5, 300)), aggregate(random.beta(5, 2, 20))
    level = baseline.statistic(statistic)
    assert p_beyond_level(observed, statistic, level, above=True) < 1e-3
    assert p_beyond_baseline(observed, baseline, statistic, SAME, above=True) < 1e-3


@pytest.mark.parametrize("statistic", ["mean", "label_rate", "p95"])
def test_nothing_to_judge_is_no_evidence(statistic):
    empty, some = aggregate([]), aggregate([0.5, 0.6])
    assert p_beyond_level(empty, statistic, 0.1, above=True) == 1.0
    assert p_beyond_baseline(empty, some, statistic, SAME, above=True) == 1.0
    assert p_beyond_baseline(some, empty, statistic, SAME, above=True) == 1.0
