"""Characters as numbers, and hashes of all their n-grams, without a loop."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint32]
Hashes = npt.NDArray[np.uint64]
_ODD = np.uint64(0x9E3779B97F4A7C15)
_OTHER = np.uint64(0xC2B2AE3D27D4EB4F)
_SHIFT = np.uint64(29)


def codes(text: str) -> Codes:
    """The code points of `text`, lone surrogates included.

    >>> codes("aé").tolist()
    [97, 233]
    """
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def hashes(characters: Codes, size: int) -> Hashes:
    """64-bit hashes of all n-grams of `size` characters, by their start; the same on every machine."""
    return hashes_of(characters, (size,))[0]


def hashes_of(characters: Codes, sizes: Iterable[int]) -> list[Hashes]:
    """The hashes for each of several sizes, together: a longer n-gram's are made of those of two shorter ones.

    >>> [len(each) for each in hashes_of(codes("abc"), (1, 3, 4))]
    [3, 1, 0]
    """
    known = {1: _mixed(characters.astype(np.uint64) + np.uint64(1))}

    def of(size: int) -> Hashes:
        if size not in known:
            lowest_bit = size & -size
            tail = lowest_bit if lowest_bit < size else size // 2
            known[size] = _joined(of(size - tail), of(tail), size - tail)
        return known[size]

    return [of(size) for size in sizes]


def _joined(left: Hashes, right: Hashes, width: int) -> Hashes:
    """Hashes of what begins with `left` and goes on, `width` characters later, with `right`."""
    rest = right[width:]
    return _mixed(left[: len(rest)] * _OTHER + rest)


def _mixed(values: Hashes) -> Hashes:
    spread = values * _ODD
    result: Hashes = spread ^ (spread >> _SHIFT)
    return result
