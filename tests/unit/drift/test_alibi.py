"""The native test against its oracle, alibi-detect's MMDDrift."""

import warnings

import numpy as np
import pytest

from services.drift.drift.mmd import two_sample_test
from tests.unit.drift.builders import vectors

pytestmark = pytest.mark.slow
PERMUTATIONS = 200


@pytest.fixture(scope="module")
def alibi():
    """The detector's class and torch; importing them warns about their own dependencies."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch = pytest.importorskip("torch")
        detectors = pytest.importorskip("alibi_detect.cd.pytorch.mmd", reason="the extra `alibi` is not installed")
    return detectors.MMDDriftTorch, torch


@pytest.mark.parametrize(("n", "m", "shift"), [(60, 25, 0.0), (100, 40, 0.05), (200, 200, 0.02), (500, 300, 0.1)])
@pytest.mark.filterwarnings("ignore")
def test_statistic_and_p_value_are_those_of_the_oracle(alibi, n, m, shift):
    detector, torch = alibi
    x, y = vectors(n, seed=n), vectors(m, seed=n + 1, shift=shift)
    torch.manual_seed(5)
    oracle_p, oracle, _ = detector(x, n_permutations=PERMUTATIONS, device="cpu").score(y)
    torch.manual_seed(5)
    memberships = np.zeros((PERMUTATIONS, n + m), dtype=bool)
    for row in memberships:
        row[torch.randperm(n + m).numpy()[:n]] = True
    native = two_sample_test(x, y, memberships)
    assert native.statistic == pytest.approx(oracle, abs=1e-5)
    assert native.p_value == pytest.approx((1 + oracle_p * PERMUTATIONS) / (1 + PERMUTATIONS), abs=1e-7)
