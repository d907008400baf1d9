"""The measures of the quality report against scikit-learn and against counting."""

import itertools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.calibration import calibration_curve

from benchmarks.quality import measures

ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20)), min_size=2, max_size=60).filter(
    lambda rows: len({label for label, _ in rows}) == 2
)


def arrays(rows):
    labels, values = zip(*rows, strict=True)
    return np.array(labels, np.int64), np.array(values, np.float64) / 20


def probabilities(count, seed=3):
    choose = np.random.default_rng(seed)
    values = choose.random(count)
    return (choose.random(count) < values**2).astype(np.int64), values


@given(ROWS)
def test_auroc_counts_the_pairs_that_are_in_order(rows):
    labels, values = arrays(rows)
    pairs = itertools.product(values[labels == 1], values[labels == 0])
    counted = np.mean([1.0 if bad > good else 0.5 if bad == good else 0.0 for bad, good in pairs])
    assert measures.auroc(labels, values) == pytest.approx(counted, abs=6e-4)


def test_auroc_of_one_class_is_nothing():
    assert measures.auroc(np.array([1, 1]), np.array([0.2, 0.9])) is None


@given(ROWS)
def test_average_precision_and_f1_are_scikit_learns(rows):
    labels, values = arrays(rows)
    flags = values >= 0.5
    assert measures.average_precision(labels, values) == round(metrics.average_precision_score(labels, values), 3)
    assert measures.f1(labels, flags) == round(metrics.f1_score(labels, flags, zero_division=0), 3)


def test_the_calibration_curve_is_scikit_learns_by_quantiles():
    labels, values = probabilities(1000)
    shares, means = calibration_curve(labels, values, n_bins=10, strategy="quantile")
    curve = measures.calibration_curve(labels, values)
    assert [value for value, _, _ in curve] == pytest.approx(means, abs=2e-4)
    assert [share for _, share, _ in curve] == pytest.approx(shares, abs=2e-3)
    assert [count for _, _, count in curve] == [100] * 10


def test_calibration_error_is_the_distance_from_what_is_true():
    labels = np.array([0, 1] * 500)
    assert measures.calibration_error(labels, np.full(1000, 0.5)) == 0.0
    assert measures.calibration_error(labels, np.full(1000, 0.8)) == pytest.approx(0.3)
    honest, values = probabilities(20_000)
    assert measures.calibration_error(honest, values**2) < 0.02


def test_the_curve_encloses_the_area():
    labels, values = probabilities(5000)
    falsely, rightly = zip(*measures.roc(labels, values), strict=True)
    assert (falsely[0], rightly[0], falsely[-1], rightly[-1]) == (0, 0, 1, 1)
    assert len(falsely) <= measures.CORNERS
    assert metrics.auc(falsely, rightly) == pytest.approx(measures.auroc(labels, values), abs=0.01)


def test_the_error_of_an_area_is_how_far_samples_of_that_size_spread():
    areas = []
    for seed in range(300):
        choose = np.random.default_rng(seed)
        values = np.concatenate([choose.normal(1, 1, 40), choose.normal(0, 1, 60)])
        areas.append(metrics.roc_auc_score([1] * 40 + [0] * 60, values))
    assert measures.auroc_error(float(np.mean(areas)), 40, 60) == pytest.approx(np.std(areas), rel=0.2)


def test_quintiles_go_from_short_to_long_and_leave_nothing_out():
    lengths = random.Random(1).sample(range(100), 52)
    parts = measures.length_quintiles(lengths)
    assert sorted(at for part in parts for at in part) == list(range(52))
    ordered = [[lengths[at] for at in part] for part in parts]
    assert all(max(one) <= min(other) for one, other in itertools.pairwise(ordered))


def test_within_lengths_a_part_of_one_class_does_not_count():
    labels, values = np.array([0, 1, 1, 1]), np.array([0.1, 0.9, 0.2, 0.3])
    assert measures.mean_within([np.array([0, 1]), np.array([2, 3])], labels, values) == 1.0
    assert measures.mean_within([np.array([2, 3])], labels, values) is None


def test_pairs_are_compared_with_themselves_alone():
    labels, values = np.array([0, 1, 0, 1, 1]), np.array([0.8, 0.9, 0.2, 0.1, 0.5])
    assert measures.pairs_ranked(["a", "a", "b", "b", ""], labels, values) == {"pairs": 2, "ranked_right": 0.5}
    assert measures.pairs_ranked([""] * 5, labels, values) is None


def test_slices_tell_what_is_flagged_of_good_rows():
    labels = np.array([0] * 40 + [1] * 20)
    values = np.array([0.9] * 10 + [0.1] * 30 + [0.8] * 20)
    slices = [{"language": "de"}] * 20 + [{"language": "en"}] * 40
    found = measures.by_slice(slices, labels, values, values >= 0.5)["language"]
    assert found["de"] == {"rows": 20, "auroc": None, "flagged_good": 0.5, "flagged_bad": None}
    assert found["en"] == {"rows": 40, "auroc": 1.0, "flagged_good": 0.0, "flagged_bad": 1.0}


def test_a_slice_of_few_rows_is_not_told():
    assert not measures.by_slice([{"language": "de"}] * 5, np.zeros(5, int), np.zeros(5), np.zeros(5, bool))
