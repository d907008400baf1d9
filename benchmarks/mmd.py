"""What one drift test costs: 1,000 calls against 1,000 × 384, 100 permutations, beside alibi-detect's MMDDrift.

Both have their reference prepared beforehand (bandwidth and its own kernel), as a service has; the time is that of one
window, permutations drawn included. The limit is the two matrix products that the test is made of (all pairs, and
kernel times memberships), on matrices of that size, with the same library. Runs alternate; medians are compared.
`same_p_value` compares both on the permutations that alibi-detect drew: `python -m benchmarks.mmd`.
"""

import json
import logging
import statistics
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from services.drift.drift import Kernel, assignments
from services.shared import processor

RUNS, SIZE, DIMENSION, PERMUTATIONS = 9, 1000, 384, 100
FLAGS = {"avx2", "avx512f", "avx512_bf16", "amx_bf16"}


def samples() -> tuple[Any, Any]:
    """A reference and a sample that is a little shifted."""
    random = np.random.default_rng(0)
    return tuple((random.normal(size=(SIZE, DIMENSION)) + shift).astype(np.float32) for shift in (0.0, 0.02))


def detector(reference: Any) -> Any:
    """alibi-detect's, on the CPU."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    module = import_module("alibi_detect.cd.pytorch.mmd")
    return module.MMDDriftTorch(reference, n_permutations=PERMUTATIONS, device="cpu")


def limit() -> Callable[[], object]:
    """The two matrix products."""
    random = np.random.default_rng(1)
    both = random.normal(size=(2 * SIZE, DIMENSION)).astype(np.float32)
    kernel = random.normal(size=(2 * SIZE, 2 * SIZE)).astype(np.float32)
    memberships = random.normal(size=(2 * SIZE, PERMUTATIONS + 1)).astype(np.float32)
    return lambda: (both @ both.T, kernel @ memberships)


def milliseconds(work: Callable[[], object]) -> float:
    """The time of one run."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1e3


def agreement(alibi: Any, kernel: Kernel, sample: Any) -> dict[str, object]:
    """How far apart the statistics are, and whether the p-values are the same, on the same permutations."""
    torch = import_module("torch")
    torch.manual_seed(1)
    oracle_p, oracle, _ = alibi.score(sample)
    torch.manual_seed(1)
    memberships = np.zeros((PERMUTATIONS, 2 * SIZE), dtype=bool)
    for row in memberships:
        row[torch.randperm(2 * SIZE).numpy()[:SIZE]] = True
    native = kernel.test(sample, memberships)
    expected = (1 + round(oracle_p * PERMUTATIONS)) / (1 + PERMUTATIONS)
    return {"statistic_error": abs(native.statistic - oracle), "same_p_value": abs(native.p_value - expected) < 1e-9}


def main() -> None:
    """Measures and prints one JSON object."""
    reference, sample = samples()
    alibi, kernel, calls = detector(reference), Kernel(reference), np.arange(SIZE)
    contenders: dict[str, Callable[[], object]] = {
        "native": lambda: kernel.test(sample, assignments(calls, calls, PERMUTATIONS, 1)),
        "alibi": lambda: alibi.score(sample),
        "limit": limit(),
        "unprepared": lambda: Kernel(reference).test(sample, assignments(calls, calls, PERMUTATIONS, 1)),
    }
    runs: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(RUNS):
        for name, work in contenders.items():
            runs[name].append(milliseconds(work))
    median = {name: statistics.median(times) for name, times in runs.items()}
    print(
        json.dumps(
            {
                "name": "MMD test 1,000 × 384, 100 permutations",
                "value": round(median["native"], 1),
                "unit": "ms",
                "peer": round(median["alibi"], 1),
                "limit": round(median["limit"], 1),
                "ratio": round(median["alibi"] / median["native"], 1),
                "over_limit": round(median["native"] / median["limit"], 2),
                "unprepared_ms": round(median["unprepared"], 1),
                **agreement(alibi, kernel, sample),
                "runs": RUNS,
                "cpu": cpu(),
            }
        )
    )


def cpu() -> str:
    """The processor and what it can do."""
    return " ".join([processor.name(), *sorted(processor.features() & FLAGS)])


if __name__ == "__main__":
    main()
