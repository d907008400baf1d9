"""Hashes of every substring and every word of a text, without a loop."""

from dataclasses import dataclass
from functools import cache
from typing import Self

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.int64]

_PRIME = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 1 << 64))
_MIX = np.uint64(0xD6E8FEB86659FD93)
_HALF = np.uint64(32)
SHORT = 8192  # characters: the powers for a text that is no longer are kept


@dataclass(frozen=True)
class HashedText:
    """Prefix sums of a text's code points, from which the hash of any of its substrings is one subtraction.

    Equal substrings have equal hashes wherever they stand (a polynomial modulo 2**64; Karp and Rabin 1987).
    """

    codes: npt.NDArray[np.uint32]
    sums: Hashes
    inverses: Hashes

    @classmethod
    def of(cls, text: str) -> Self:
        """The prefix sums of `text`; lone surrogates are code points like others."""
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        powers = _powers(_PRIME, len(codes))
        sums = np.zeros(len(codes) + 1, np.uint64)
        np.cumsum((codes.astype(np.uint64) + np.uint64(1)) * powers, out=sums[1:])
        return cls(codes, sums, _powers(_INVERSE, len(codes) + 1))

    def substrings(self, starts: Positions, ends: Positions) -> Hashes:
        """The hashes of characters `starts` to `ends` (exclusive)."""
        return mixed((self.sums[ends] - self.sums[starts]) * self.inverses[starts])

    def grams(self, length: int) -> Hashes:
        """The hash of the `length` characters from each position on."""
        count = max(0, len(self.codes) - length + 1)
        return mixed((self.sums[length : length + count] - self.sums[:count]) * self.inverses[:count])

    def words(self, letters: npt.NDArray[np.bool_]) -> Hashes:
        """The hashes of the runs of `letters` (one flag a character), in order."""
        edges = np.flatnonzero(np.diff(letters.astype(np.int8), prepend=0, append=0))
        return self.substrings(edges[::2], edges[1::2])


def mixed(hashes: Hashes) -> Hashes:
    """The hashes with every bit depending on every other."""
    hashes = (hashes ^ (hashes >> _HALF)) * _MIX
    result: Hashes = hashes ^ (hashes >> _HALF)
    return result


def _powers(number: np.uint64, count: int) -> Hashes:
    """The powers of a number from the 0th on."""
    return _short_powers(number)[:count] if count <= SHORT else _all_powers(number, count)


@cache
def _short_powers(number: np.uint64) -> Hashes:
    return _all_powers(number, SHORT)


def _all_powers(number: np.uint64, count: int) -> Hashes:
    factors = np.full(count, number, np.uint64)
    factors[0] = 1
    result: Hashes = np.cumprod(factors, dtype=np.uint64)
    return result
