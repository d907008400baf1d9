"""MMD² and its p-value: against double precision, by hand, and under the null."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from services.drift.drift.arrays import arrays, torch_arrays
from services.drift.drift.mmd import Kernel, assignments, batches, median_squared_distance, two_sample_test
from tests.unit.drift.builders import vectors


def exactly(x, y):
    """Unbiased MMD² in double precision, from its definition."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    within, n, m = cdist(x, x) ** 2, len(x), len(y)
    median = np.sort(within.ravel())[n + (n * n - n) // 2 - 1]
    xx, yy, xy = (np.exp(-(cdist(a, b) ** 2) / median) for a, b in ((x, x), (y, y), (x, y)))
    return (xx.sum() - n) / (n * (n - 1)) + (yy.sum() - m) / (m * (m - 1)) - 2 * xy.mean()


def split(n, m, permutations=99, seed=3):
    return assignments(np.arange(n), np.arange(m), permutations, seed)


@pytest.mark.parametrize(("n", "m"), [(2, 2), (60, 25), (25, 60), (400, 300)])
@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_the_statistic_is_that_of_double_precision(n, m, shift):
    x, y = vectors(n, seed=1), vectors(m, seed=2, shift=shift)
    assert two_sample_test(x, y, split(n, m)).statistic == pytest.approx(exactly(x, y), abs=2e-7)


def test_a_constant_far_from_the_origin_costs_no_accuracy():
    x, y = vectors(300, seed=1), vectors(300, seed=2, shift=0.05)
    moved = two_sample_test(x + np.float32(3), y + np.float32(3), split(300, 300)).statistic
    assert moved == pytest.approx(exactly(x + np.float32(3), y + np.float32(3)), abs=2e-7)


def test_permuted_statistics_are_those_of_permuted_samples():
    x, y = vectors(12, seed=1), vectors(9, seed=2, shift=0.5)
    both, kernel = np.concatenate([x, y]), Kernel(x)
    memberships = split(12, 9, permutations=40)
    observed = kernel.test(y, memberships)
    reached = 0
    for row in memberships:
        a, b = both[row].astype(np.float64), both[~row].astype(np.float64)
        xx, yy, xy = (np.exp(-(cdist(p, q) ** 2) / kernel.median) for p, q in ((a, a), (b, b), (a, b)))
        value = (xx.sum() - 12) / (12 * 11) + (yy.sum() - 9) / (9 * 8) - 2 * xy.mean()
        reached += value >= observed.statistic - 1e-7
    assert observed.p_value == (1 + reached) / 41


def test_a_sequential_test_stops_when_enough_permutations_reached_the_statistic():
    x, y, calls = vectors(60), vectors(40, seed=7), np.arange(60)
    for seed in range(20):
        every = assignments(calls, calls[:40], 2000, seed)
        result = Kernel(x).test_until_sure(y, batches(calls, calls[:40], 2000, seed))
        permutations = round(10 / result.p_value)
        exact = Kernel(x).test(y, every[:permutations]).p_value
        assert (result.p_value, exact) == (10 / permutations, 11 / (permutations + 1))
        assert Kernel(x).test(y, every[: permutations - 1]).p_value == 10 / permutations


def test_a_plain_difference_has_a_p_value_as_small_as_permutations_allow():
    calls = np.arange(60)
    result = Kernel(vectors(60)).test_until_sure(vectors(60, seed=9, shift=1), batches(calls, calls, 19_999, 1))
    assert result.p_value == 1 / 20_000


def test_the_null_rate_of_a_sequential_test_is_nominal():
    calls, found = np.arange(30), []
    for seed in range(600):
        kernel = Kernel(vectors(30, seed=2 * seed))
        found.append(kernel.test_until_sure(vectors(30, seed=2 * seed + 1), batches(calls, calls, 999, seed)).p_value)
    for level in (0.02, 0.05, 0.2, 0.5):
        spread = np.sqrt(level * (1 - level) / len(found))
        assert np.mean(np.array(found) <= level) == pytest.approx(level, abs=4 * spread)


def test_p_is_never_zero_and_the_smallest_for_a_plain_difference():
    assert two_sample_test(vectors(60), vectors(40, seed=9, shift=1), split(60, 40)).p_value == 0.01


def test_the_same_sample_differs_in_nothing():
    x = vectors(50)
    assert two_sample_test(x, x, split(50, 50)).p_value > 0.9


@pytest.mark.parametrize("text", [np.zeros((30, 8), "f4"), np.ones((30, 8), "f4")])
def test_a_reference_of_one_text_only_survives(text):
    result = two_sample_test(text, text[:25], split(30, 25))
    assert (result.statistic, result.p_value) == (pytest.approx(0.0, abs=1e-6), 1.0)


def test_a_reference_of_mostly_one_text_still_sees_another():
    x = np.concatenate([np.repeat(vectors(1), 50, axis=0), vectors(10, seed=4)])
    assert median_squared_distance(x - x.mean(axis=0)) > 0.01
    assert two_sample_test(x, vectors(40, seed=5, shift=1), split(60, 40)).p_value == 0.01


def test_small_samples_say_little():
    assert two_sample_test(vectors(2), vectors(2, seed=5, shift=2), split(2, 2)).p_value > 0.2


@given(st.integers(2, 30), st.integers(2, 30), st.integers(0, 2**128 - 1))
def test_assignments_move_whole_sessions_and_keep_their_number(n, m, seed):
    random = np.random.default_rng(n * 31 + m)
    reference, sample = random.integers(0, 6, n), random.integers(0, 6, m)
    memberships = assignments(reference, sample, 20, seed)
    assert np.array_equal(memberships, assignments(reference, sample, 20, seed))
    for sessions, part in ((reference, memberships[:, :n]), (sample, memberships[:, n:])):
        for session in np.unique(sessions):
            assert np.all(part[:, sessions == session] == part[:, sessions == session][:, :1])
    first = {(0, session): int(np.flatnonzero(reference == session)[0]) for session in np.unique(reference)}
    first |= {(1, session): n + int(np.flatnonzero(sample == session)[0]) for session in np.unique(sample)}
    assert np.all(memberships[:, list(first.values())].sum(axis=1) == len(np.unique(reference)))


def sessions_of_near_duplicates(sessions, each, seed):
    random = np.random.default_rng(seed)
    middle = np.repeat(vectors(sessions, seed=seed), each, axis=0)
    return (middle + 0.01 * random.normal(size=middle.shape)).astype("<f4"), np.repeat(np.arange(sessions), each)


def test_sessions_of_near_duplicates_alarm_at_the_nominal_rate_only_when_moved_whole():
    whole, single = [], []
    for seed in range(150):
        x, left = sessions_of_near_duplicates(12, 8, 2 * seed)
        y, right = sessions_of_near_duplicates(6, 8, 2 * seed + 1)
        whole.append(Kernel(x, left).test(y, assignments(left, right, 99, seed), right).p_value)
        single.append(Kernel(x).test(y, split(96, 48, seed=seed)).p_value)
    assert np.mean(np.array(whole) <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 150)
    assert np.mean(np.array(single) <= 0.05) > 0.5


def sessions_of_sizes(sizes, seed):
    """Vectors of sessions of these sizes, each about a middle of its own."""
    random, sessions = np.random.default_rng(seed), np.repeat(np.arange(len(sizes)), sizes)
    near = random.normal(size=(len(sizes), 16))[sessions] + 0.5 * random.normal(size=(len(sessions), 16))
    return near.astype("<f4"), sessions


@pytest.mark.parametrize(("each", "most"), [(1, 3), (3, 1), (1, 9)])
def test_under_the_null_sessions_of_unequal_size_keep_the_level_and_a_statistic_of_mean_zero(each, most):
    sizes, found = np.random.default_rng(most), []
    for seed in range(300):
        x, left = sessions_of_sizes(np.full(40, each), 2 * seed)
        y, right = sessions_of_sizes(sizes.integers(1, most + 1, 20), 2 * seed + 1)
        found.append(Kernel(x, left).test(y, assignments(left, right, 99, seed), right))
    statistics = np.array([result.statistic for result in found])
    assert abs(statistics.mean()) < 4 * statistics.std() / np.sqrt(len(found))
    assert np.mean([result.p_value <= 0.05 for result in found]) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(found))


def test_sessions_of_one_call_are_calls():
    x, y, memberships = vectors(60), vectors(25, seed=5, shift=0.1), split(60, 25)
    assert Kernel(x, np.arange(60)).test(y, memberships, np.arange(25)) == Kernel(x).test(y, memberships)


@pytest.mark.parametrize(("left", "right"), [(np.zeros(30, int), np.arange(20)), (np.arange(30), np.zeros(20, int))])
def test_one_session_alone_says_nothing(left, right):
    result = Kernel(vectors(30), left).test(vectors(20, seed=5, shift=1), assignments(left, right, 99, 1), right)
    assert np.isnan(result.statistic)
    assert result.p_value == 1.0


def test_the_null_rate_is_nominal():
    p = np.array(
        [
            two_sample_test(
                vectors(60, seed=2 * seed), vectors(30, seed=2 * seed + 1), split(60, 30, seed=seed)
            ).p_value
            for seed in range(400)
        ]
    )
    for level in (0.05, 0.2, 0.5):
        assert np.mean(p <= level) == pytest.approx(level, abs=4 * np.sqrt(level * (1 - level) / len(p)))


def test_torch_says_what_numpy_says():
    x, y, memberships = vectors(80), vectors(40, seed=5, shift=0.1), split(80, 40)
    plain, torch = two_sample_test(x, y, memberships), two_sample_test(x, y, memberships, torch_arrays("cpu"))
    assert torch.statistic == pytest.approx(plain.statistic, abs=1e-7)
    assert torch.p_value == plain.p_value


def test_without_a_gpu_nothing_imports_torch():
    assert arrays("cpu").module is np
