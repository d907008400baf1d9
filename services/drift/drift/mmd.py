"""The kernel two-sample test: unbiased MMD² and its permutation p-value."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.drift.drift.arrays import CPU, Array, Arrays

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
# Statistics that differ by less are equal: a permutation that repeats the observed split must count as one that
# reaches it, and single precision is good for about 1e-8 here.
TIE = 1e-7
ENOUGH = 10  # permutations that reach a statistic: p is then known to about a third of itself
BATCH = 256


@dataclass(frozen=True)
class Result:
    """An unbiased estimate of MMD² (it may be below 0) and the p-value of "no difference".

    The estimate is nan, and the p-value 1, where a part has one session only.
    """

    statistic: float
    p_value: float


class Kernel:
    """A reference, ready to be compared with: an RBF kernel exp(-|x-y|² / m), m the median squared distance in it.

    The median is alibi-detect's (over all pairs, the diagonal first). Vectors are float32 of shape [n, d], n ≥ 2;
    `sessions` says which calls belong together, without it each stands alone. Calls of one session resemble each
    other, so pairs within one session are left out. A constant is subtracted from the kernel of all other pairs:
    MMD² does not change, and sums in single precision do not lose it among larger numbers (error about 1e-8).
    """

    def __init__(self, reference: Floats, sessions: Ints | None = None, *, arrays: Arrays = CPU) -> None:
        self.size = len(reference)
        self._sessions = np.arange(self.size) if sessions is None else sessions
        self._together = _together(self._sessions)
        self._arrays = arrays
        self._mean = reference.mean(axis=0)
        centred = reference - self._mean
        self.median = median_squared_distance(centred)
        self._reference = arrays.put(self._scaled(reference))
        self._centre = 0.0
        within = self._within(self._reference, self._sessions)
        pairs = max(self.size**2 - self._together.sum(), 1.0)
        self._centre = float(arrays.get(within).sum(dtype=np.float64)) / pairs
        self._kernel = self._within(self._reference, self._sessions)

    def test(self, sample: Floats, memberships: Bools, sessions: Ints | None = None) -> Result:
        """Compare `sample` [m, d], whose calls belong to `sessions`, with the reference, see `two_sample_test`."""
        return self.test_until_sure(sample, [memberships], sessions, enough=len(memberships) + 1)

    def test_until_sure(
        self, sample: Floats, batches: Iterable[Bools], sessions: Ints | None = None, enough: int = ENOUGH
    ) -> Result:
        """The same, with no more permutations once `enough` of them reached the observed statistic.

        p is then `enough` / permutations by then, and as valid (Besag and Clifford, Sequential Monte Carlo p-values,
        Biometrika 1991): what differs in nothing costs a few dozen, and what differs can have a very small p.
        """
        split = np.zeros((1, self.size + len(sample)), dtype=bool)
        split[0, : self.size] = True
        statistics = self._statistics(sample, np.arange(len(sample)) if sessions is None else sessions)
        observed = float(statistics(split)[0])
        drawn = reached = 0
        for memberships in batches:
            hits = np.flatnonzero(~(statistics(memberships) < observed - TIE))  # what cannot be computed is a hit
            if reached + len(hits) >= enough:
                return Result(observed, enough / (drawn + int(hits[enough - reached - 1]) + 1))
            drawn, reached = drawn + len(memberships), reached + len(hits)
        return Result(observed, (1 + reached) / (1 + drawn))

    def _statistics(self, sample: Floats, sessions: Ints) -> Callable[[Bools], Doubles]:
        """What gives MMD² of splits; a row of its argument is true for what belongs to the first part."""
        put, get = self._arrays.put, self._arrays.get
        other = put(self._scaled(sample))
        xx, xy, yy = self._kernel, self._between(self._reference, other), self._within(other, sessions)
        rows = np.concatenate([get(xx.sum(1) + xy.sum(1)), get(xy.sum(0) + yy.sum(0))]).astype(np.float64)
        together = np.concatenate([self._together, _together(sessions)])

        def statistics(memberships: Bools) -> Doubles:
            chosen = np.ascontiguousarray(memberships.T, dtype=np.float32)
            left, right = put(chosen[: self.size]), put(chosen[self.size :])
            upper = get(left * (xx @ left + 2 * (xy @ right))).sum(axis=0, dtype=np.float64)
            inside = upper + get(right * (yy @ right)).sum(axis=0, dtype=np.float64)
            return _unbiased(inside, rows @ chosen, rows.sum(), memberships, together)

        return statistics

    def _scaled(self, vectors: Floats) -> Floats:
        """Such that x·y - |x|²/2 - |y|²/2 is the exponent."""
        return np.asarray((vectors - self._mean) * np.sqrt(2 / self.median), dtype=np.float32)

    def _between(self, left: Array, right: Array) -> Array:
        exponent = left @ right.T
        exponent -= ((left * left).sum(1) / 2)[:, None]
        exponent -= ((right * right).sum(1) / 2)[None, :]
        self._arrays.module.exp(exponent, out=exponent)
        exponent -= self._centre
        return exponent

    def _within(self, vectors: Array, sessions: Ints) -> Array:
        """The kernel of all pairs, zero for those of one session, with itself included."""
        apart = (sessions[:, None] != sessions[None, :]).astype(np.float32)
        return self._between(vectors, vectors) * self._arrays.put(apart)


def two_sample_test(reference: Floats, sample: Floats, memberships: Bools, arrays: Arrays = CPU) -> Result:
    """Compare `sample` [m, d] with `reference` [n, d]: MMD² and p = (1 + b) / (1 + B).

    `memberships` is [B, n + m]: which calls belong to the reference in each permutation; b of them reach the observed
    statistic. All are computed as one matrix product. Not for dependent calls: those need a `Kernel` that knows their
    sessions and `assignments` that move them whole. Not below about twenty calls a side, where it sees little.
    Source: Gretton et al., A Kernel Two-Sample Test, JMLR 2012; Phipson and Smyth 2010 for p.
    """
    return Kernel(reference, arrays=arrays).test(sample, memberships)


def assignments(reference_sessions: Ints, sample_sessions: Ints, permutations: int, seed: int) -> Bools:
    """Random memberships [permutations, n + m] that move whole sessions; the same seed gives the same ones.

    As many sessions as are in the reference belong to it in each permutation; with one call a session that is the
    usual permutation of calls.
    """
    return np.concatenate(list(batches(reference_sessions, sample_sessions, permutations, seed)))


def batches(reference_sessions: Ints, sample_sessions: Ints, permutations: int, seed: int) -> Iterator[Bools]:
    """The same `assignments`, some at a time, for who may not need them all."""
    first, left = np.unique(reference_sessions, return_inverse=True)
    second, right = np.unique(sample_sessions, return_inverse=True)
    places = np.concatenate([left, right + len(first)])
    random = np.random.default_rng(seed)
    for start in range(0, permutations, BATCH):
        shape = min(BATCH, permutations - start), len(first) + len(second)
        cut = np.argpartition(random.random(shape, dtype=np.float32), len(first) - 1, axis=1)[:, : len(first)]
        chosen = np.zeros(shape, dtype=bool)
        np.put_along_axis(chosen, cut, values=True, axis=1)
        yield chosen[:, places]


def median_squared_distance(vectors: Floats) -> float:
    """alibi-detect's median; where most pairs are the same text, the mean distance of those that are not; else 1."""
    squares = (vectors * vectors).sum(axis=1)
    distances = np.maximum(squares[:, None] + squares[None, :] - 2 * (vectors @ vectors.T), 0.0)
    np.fill_diagonal(distances, 0.0)
    flat, n = distances.ravel(), len(vectors)
    place = n + (n * n - n) // 2 - 1
    median = float(np.partition(flat, place)[place])
    if median > 1e-6:
        return median
    different = flat[flat > 1e-6]
    return float(different.mean()) if len(different) else 1.0


def _together(sessions: Ints) -> Doubles:
    """How many calls the session of each call has."""
    _, places, counts = np.unique(sessions, return_inverse=True, return_counts=True)
    return counts[places].astype(np.float64)


def _unbiased(inside: Doubles, touching: Doubles, total: float, memberships: Bools, together: Doubles) -> Doubles:
    """MMD² from the kernel sums within the first part, of its rows and of everything; nan for parts of one session."""
    n = memberships.sum(axis=1).astype(np.float64)
    m = memberships.shape[1] - n
    kept = memberships @ together
    pairs, other_pairs = n * n - kept, m * m - (together.sum() - kept)
    outside, across = total - 2 * touching + inside, touching - inside
    with np.errstate(divide="ignore", invalid="ignore"):
        value = inside / pairs + outside / other_pairs - 2 * across / (n * m)
    return np.where((pairs > 0) & (other_pairs > 0), value, np.nan)
