"""Disparity between groups: its intervals cover at their nominal rate, whatever the weights."""

from math import inf, isinf

import numpy as np
import pytest
from scipy import stats

from services.shared.aggregate import Aggregate
from services.shared.disparity import FOUR_FIFTHS, disparities, together
from services.shared.intervals import koopman, newcombe, t_quantile, wilson

REPETITIONS = 500
MARGIN = 0.03  # three standard errors of a coverage that is seen in so many repetitions
ALL, SAMPLED = (1.0,), (1.0, 0.5, 0.25, 0.125)


def a_group(labels, *, values=None, weights=None):
    labels = np.asarray(labels, dtype=float)
    values = labels if values is None else np.asarray(values)
    weights = np.ones(len(labels)) if weights is None else np.asarray(weights)
    return Aggregate(
        count=len(labels),
        weight=weights.sum(),
        weight_squares=(weights**2).sum(),
        weighted_sum=(weights * values).sum(),
        weighted_square_sum=(weights * values**2).sum(),
        labelled_weight=(weights * labels).sum(),
    )


def drawn(random, calls, rate, probabilities):
    """What is left of `calls` calls of which each has an inclusion probability of its own."""
    included = random.choice(probabilities, calls)
    labels = random.random(calls) < rate
    kept = random.random(calls) < included
    return a_group(labels[kept], weights=1 / included[kept])


def coverage(rates, calls, probabilities, seed):
    random, covered = np.random.default_rng(seed), []
    true = rates[0] - rates[1], rates[0] / rates[1]
    for _ in range(REPETITIONS):
        groups = {"a": drawn(random, calls[0], rates[0], probabilities), "b": drawn(random, calls[1], rates[1], ALL)}
        first, _ = disparities(groups, minimum_count=1)
        ratio = first.ratio or (0, 0, inf)
        covered.append(
            [each[1] <= truth <= each[2] for each, truth in zip((first.difference, ratio), true, strict=True)]
        )
    return np.mean(covered, axis=0)


@pytest.mark.parametrize("probabilities", [ALL, SAMPLED], ids=["every call", "sampled"])
@pytest.mark.parametrize(
    ("rates", "calls"),
    [((0.05, 0.05), (60, 600)), ((0.1, 0.3), (80, 80)), ((0.5, 0.8), (60, 300)), ((0.02, 0.1), (400, 1000))],
)
def test_intervals_of_rates_cover_at_their_nominal_rate(rates, calls, probabilities):
    difference, ratio = coverage(rates, calls, probabilities, seed=7)
    assert 0.95 - MARGIN <= difference <= 0.99
    assert 0.95 - MARGIN <= ratio <= 0.99


def test_intervals_cover_where_errors_are_sampled_first():
    random, covered = np.random.default_rng(3), []
    for _ in range(REPETITIONS):
        groups = {}
        for name, rate in (("a", 0.08), ("b", 0.05)):
            labels = random.random(1500) < rate
            included = np.where(labels, 1.0, 0.25)
            kept = random.random(1500) < included
            groups[name] = a_group(labels[kept], weights=1 / included[kept])
        first = disparities(groups)[0]
        covered.append(first.difference.low <= 0.03 <= first.difference.high)
    assert np.mean(covered) >= 0.95 - MARGIN


@pytest.mark.parametrize("probabilities", [ALL, SAMPLED], ids=["every call", "sampled"])
def test_intervals_of_means_cover_at_their_nominal_rate(probabilities):
    random, covered = np.random.default_rng(5), []
    for _ in range(REPETITIONS):
        groups = {}
        for name, factor in (("a", 1.5), ("b", 1.0)):
            values = factor * np.exp(0.5 * random.standard_normal(150))
            included = random.choice(probabilities, 150)
            kept = random.random(150) < included
            groups[name] = a_group(np.zeros(kept.sum()), values=values[kept], weights=1 / included[kept])
        first = disparities(groups, "mean")[0]
        truths = 0.5 * np.exp(0.125), 1.5
        covered.append(
            [each[1] <= truth <= each[2] for each, truth in zip((first.difference, first.ratio), truths, strict=True)]
        )
    difference, ratio = np.mean(covered, axis=0)
    assert min(difference, ratio) >= 0.95 - MARGIN
    assert max(difference, ratio) <= 0.99


# Newcombe 1998, table II, method 10
@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((10, 10), (0, 10), 0.6075, 1.0)],
)
def test_newcombes_published_intervals(first, second, low, high):
    rates = (first[0] / first[1], first[1]), (second[0] / second[1], second[1])
    assert newcombe(*rates)[1:] == pytest.approx((low, high), abs=6e-5)


def test_koopmans_published_interval_and_its_edges():
    assert koopman((36 / 40, 40), (16 / 80, 80)) == pytest.approx((4.5, 2.94, 7.15), abs=5e-3)
    assert koopman((0.0, 20), (0.0, 20)) is None
    low = koopman((0.0, 50), (0.2, 50))
    high = koopman((0.2, 50), (0.0, 50))
    assert (low.estimate, low.low, isinf(high.estimate), isinf(high.high)) == (0.0, 0.0, True, True)
    assert low.high == pytest.approx(1 / high.low)


def test_wilson_and_t_agree_with_scipy():
    expected = stats.binomtest(7, 40).proportion_ci(method="wilson")
    assert wilson(7 / 40, 40) == pytest.approx((expected.low, expected.high))
    for degrees in (10, 40, 300):
        assert t_quantile(0.01, degrees) == pytest.approx(stats.t.ppf(0.995, degrees), rel=2e-3)


def test_each_group_is_compared_with_all_the_others():
    groups = {"de": a_group([1, 1] + [0] * 38), "en": a_group([0] * 100), "fr": a_group([1] * 20 + [0] * 40)}
    german, english, french = disparities(groups)
    assert [each.value for each in (german, english, french)] == ["de", "en", "fr"]
    assert french.other_level == pytest.approx(2 / 140)
    assert french.difference.low > 0.1
    assert french.ratio.low > 4
    assert english.difference.high < 0


def test_the_four_fifths_rule_compares_with_the_most_favoured_group():
    groups = {"a": a_group([0] * 50), "b": a_group([1] * 10 + [0] * 30), "c": a_group([1] * 8 + [0] * 32)}
    impact = {each.value: each.impact for each in disparities(groups)}
    assert impact == pytest.approx({"a": 1.0, "b": 0.75, "c": 0.8})
    assert [value for value, share in impact.items() if share < FOUR_FIFTHS] == ["b"]


def test_a_label_may_be_the_favourable_outcome():
    groups = {"a": a_group([1] * 45 + [0] * 5), "b": a_group([1] * 30 + [0] * 20)}
    impact = {each.value: each.impact for each in disparities(groups, favourable="labelled")}
    assert impact == pytest.approx({"a": 1.0, "b": 2 / 3})


def test_few_calls_are_not_judged_but_count_among_the_others():
    groups = {"a": a_group([0] * 30), "b": a_group([1] * 19), "c": a_group([0] * 30)}
    first, last = disparities(groups, minimum_count=20)
    assert (first.value, last.value) == ("a", "c")
    assert first.others == together([groups["b"], groups["c"]])


def test_a_single_group_has_nobody_to_compare_with():
    assert disparities({"a": a_group([1] * 50)}) == []


def test_nobody_labelled_is_no_disparity_and_has_no_ratio():
    first, _ = disparities({"a": a_group([0] * 50), "b": a_group([0] * 80)})
    assert first.ratio is None
    assert first.difference.low < 0 < first.difference.high


def test_weights_widen_the_intervals():
    labels = np.arange(100) % 5 == 0
    even, uneven = a_group(labels), a_group(labels, weights=np.where(np.arange(100) % 2, 1.0, 8.0))
    other = a_group([0, 1] * 50)
    widths = [
        one.difference.high - one.difference.low
        for one in (disparities({"a": group, "b": other})[0] for group in (even, uneven))
    ]
    assert widths[1] > 1.1 * widths[0]


MAGNITUDES = (0.0, 5e-324, 1e-300, 1e-163, 1e-100, 1.0, 1e100, 1e154, 1e200, 1e308, inf)


@pytest.mark.parametrize("mean", MAGNITUDES)
@pytest.mark.parametrize("other", MAGNITUDES)
def test_no_magnitude_of_means_and_deviations_ends_it(mean, other):
    for square in MAGNITUDES:
        sums = {"count": 30, "weight": 30.0, "weight_squares": 30.0, "weighted_square_sum": 30 * square}
        groups = {name: Aggregate(**sums, weighted_sum=30 * each) for name, each in (("a", mean), ("b", other))}
        for found in disparities(groups, "mean"):
            assert found.ratio is None or 0 < found.ratio.estimate < inf
