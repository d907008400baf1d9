"""Sums and sketches against numpy, and what sampling does to them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.messages import Window
from services.shared.aggregate import merge
from services.shared.scoring import LARGEST_VALUE, Evaluator, Measured, Metric
from services.shared.tumbling import Timing
from services.windower.windower import Cell, Partition, sketch, sums
from services.writer.writer import FULLNESS_BITS
from tests.support.messages import a_call
from tests.unit.windower.builders import a_score, second

finite = st.floats(-1e12, 1e12, allow_nan=False).filter(lambda value: value == 0 or abs(value) > 1e-12)
values = st.lists(finite, min_size=1, max_size=60)


def cell_of(scores):
    cell = Cell()
    for score in scores:
        cell.add(score, 0.0)
    cell.settle()
    return cell


def window_of(scores):
    partition = Partition(0, [10], timing=Timing(settle_seconds=0))
    for offset, score in enumerate(scores):
        partition.add(score, offset)
    list(partition.tick(second(0)))
    (window,) = partition.tick(second(13))
    return window


def test_a_window_of_the_largest_values_and_weights_is_read_again():
    scores = [a_score(number, value=LARGEST_VALUE, inclusion_probability=1e-300) for number in range(1000)]
    window = window_of(scores)
    assert Window.decode(window.encode()) == window
    assert merge([window]).mean == pytest.approx(LARGEST_VALUE)


@pytest.mark.parametrize("value", [2e60, -2e60, float("inf"), float("nan")])
def test_a_score_beyond_them_is_a_failure(value):
    anything = Metric("anything", unit="1", worse="higher", minimum=-float("inf"))
    assert Evaluator("test", "1").score(a_call(), anything, Measured(value)).status == "failed"


def test_more_scores_are_fuller_then_more_with_a_value_then_surer_ones():
    def fullness(scored, missing, probability=1.0):
        found = [a_score(number, inclusion_probability=probability) for number in range(scored)]
        return window_of(found + [a_score(number, value=None) for number in range(scored, scored + missing)]).fullness

    ascending = [fullness(0, 99), fullness(99, 0), fullness(0, 100), fullness(30, 70)]
    ascending += [fullness(100, 0, 0.25), fullness(100, 0, 0.5), fullness(100, 0)]
    assert ascending == sorted(set(ascending))


def test_the_fullness_of_a_window_fits_below_its_generation():
    most = 2**28 - 1
    assert replace(window_of([a_score()]), count=most, weight=float(most)).fullness < 2**FULLNESS_BITS


@given(values, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_show_in_the_last_digit(numbers, random):
    scores = [
        a_score(number, value=value, inclusion_probability=random.choice([1.0, 0.3, 0.1]), label=random.random() < 0.5)
        for number, value in enumerate(numbers)
    ]
    shuffled = random.sample(scores, len(scores)) + random.choices(scores, k=5)
    assert sums(cell_of(scores).rows()) == sums(cell_of(shuffled).rows())


@given(values)
def test_sums_are_what_numpy_says(numbers):
    found = sums(cell_of(a_score(number, value=value) for number, value in enumerate(numbers)).rows())
    assert (found["count"], found["weight"], found["weight_squares"]) == (len(numbers), len(numbers), len(numbers))
    assert found["weighted_sum"] == pytest.approx(np.sum(numbers), rel=1e-9, abs=1e-9 * np.abs(numbers).sum())
    assert (found["minimum"], found["maximum"]) == (min(numbers), max(numbers))


@given(values)
def test_every_value_lies_in_its_bin(numbers):
    found = sketch(np.array(numbers), np.ones(len(numbers)))
    gamma = 1.01 / 0.99
    for value in numbers:
        bins = found.positive if value > 0 else found.negative
        inside = [
            index for index in bins if gamma ** (index - 1) <= abs(value) * (1 + 1e-9) <= gamma**index * (1 + 2e-9)
        ]
        assert value == 0 or inside
    assert sum(found.positive.values()) + sum(found.negative.values()) + found.zero == len(numbers)


@given(st.lists(finite, min_size=1, max_size=200), st.sampled_from([0.0, 0.05, 0.5, 0.9, 0.99, 1.0]))
def test_quantiles_are_within_one_per_cent_of_numpys(numbers, share):
    found = merge([window_of(a_score(number, value=value) for number, value in enumerate(numbers))]).quantile(share)
    exact = np.quantile(numbers, share, method="lower")
    assert found == pytest.approx(exact, rel=0.0101, abs=1e-12)


@given(values, st.integers(0, 60))
def test_windows_of_two_partitions_merge_to_the_window_of_all(numbers, cut):
    scores = [a_score(number, value=value) for number, value in enumerate(numbers)]
    parts = [part for part in (scores[:cut], scores[cut:]) if part]
    both, whole = merge(window_of(part) for part in parts), merge([window_of(scores)])
    assert (both.count, both.weight, both.minimum, both.maximum, both.sketch) == (
        whole.count,
        whole.weight,
        whole.minimum,
        whole.maximum,
        whole.sketch,
    )
    assert both.weighted_sum == pytest.approx(whole.weighted_sum, rel=1e-9, abs=1e-9 * np.abs(numbers).sum())


def test_means_and_rates_stay_unbiased_under_sampling():
    """2,000 windows, each of a fresh sample that keeps bad calls always and others one time in ten."""
    random = np.random.default_rng(7)
    value = random.gamma(2.0, size=200)
    bad = value > np.quantile(value, 0.9)
    kept_probability = np.where(bad, 1.0, 0.1)
    kept = random.random((2000, 200)) < kept_probability
    estimates = np.array([_totals(value, bad, kept_probability, row) for row in kept])
    error = estimates.std(axis=0) / np.sqrt(len(estimates))
    truth = np.array([200.0, value.sum(), bad.sum()])
    assert np.all(np.abs(estimates.mean(axis=0) - truth) <= 4 * error + 1e-9)


def _totals(value, bad, probability, kept):
    chosen = np.flatnonzero(kept)
    found = sums(
        cell_of(
            a_score(
                int(number),
                value=float(value[number]),
                label=bool(bad[number]),
                inclusion_probability=float(probability[number]),
            )
            for number in chosen
        ).rows()
    )
    return found["weight"], found["weighted_sum"], found["labelled_weight"]


@given(st.lists(st.tuples(st.floats(0, 1e6), st.sampled_from([1.0, 0.3, 0.1])), min_size=1), st.randoms())
def test_statistics_are_weighted_sums_that_do_not_depend_on_the_order(given, random):
    scores = [
        a_score(number, value=1.0, inclusion_probability=probability, statistics={"length": length})
        for number, (length, probability) in enumerate(given)
    ]
    found = sums(cell_of(scores).rows(), "unknown")
    assert found["statistics"]["length"] == pytest.approx(sum(length / chance for length, chance in given))
    assert sums(cell_of(random.sample(scores, len(scores))).rows(), "unknown") == found
    assert found["corpus"] is None


def test_statistics_of_a_score_that_is_replaced_are_replaced():
    first = a_score(1, value=1.0, inclusion_probability=0.5, statistics={"length": 3.0})
    better = a_score(1, value=1.0, statistics={"length": 5.0})
    assert sums(cell_of([first, better]).rows())["statistics"] == {"length": 5.0}
