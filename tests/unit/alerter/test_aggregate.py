"""Several windows together say what all their calls say."""

import numpy as np
import pytest

from services.shared.aggregate import Aggregate, merge

from .streams import a_window


@pytest.fixture
def values():
    return np.random.default_rng(3).lognormal(0, 0.6, 400)


def test_merged_windows_are_the_window_of_all_calls(values):
    parts = merge([a_window("m", values[:150]), a_window("m", values[150:], 1)])
    whole = merge([a_window("m", values)])
    assert parts.count == whole.count == 400
    assert parts.mean == pytest.approx(values.mean())
    assert parts.variance == pytest.approx(values.var(ddof=1))
    assert parts.sketch == whole.sketch


@pytest.mark.parametrize("share", [0.0, 0.5, 0.95, 0.99, 1.0])
def test_quantiles_are_within_the_sketch_s_alpha(values, share):
    found = merge([a_window("m", values)]).quantile(share)
    assert found == pytest.approx(np.quantile(values, share, method="lower"), rel=0.0101)


def test_the_share_above_a_level(values):
    assert merge([a_window("m", values)]).share_above(1.0) == pytest.approx((values > 1.0).mean(), abs=0.01)


def test_sums_beyond_numbers_raise_nothing():
    assert Aggregate(count=2, weight=2.0, weight_squares=2.0, weighted_sum=1e200).variance == 0.0


def test_nothing_has_no_statistic():
    nothing = merge([])
    assert [nothing.statistic(name) for name in ("mean", "label_rate", "p95")] == [None, None, None]
    assert nothing.statistic("count") == 0.0
