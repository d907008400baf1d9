"""Characters as numbers, and hashes of all their n-grams, without a loop."""

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
    if len(characters) < size:
        return np.empty(0, np.uint64)
    powers = {1: _mixed(characters.astype(np.uint64) + np.uint64(1))}
    width = 1
    while width * 2 <= size:
        powers[width * 2] = _joined(powers[width], powers[width], width)
        width *= 2
    whole, done = powers[width], width
    for part in sorted(powers, reverse=True):
        while done + part <= size:
            whole, done = _joined(whole, powers[part], done), done + part
    return whole


def _joined(left: Hashes, right: Hashes, width: int) -> Hashes:
    """Hashes of what begins with `left` and goes on, `width` characters later, with `right`."""
    rest = right[width:]
    return _mixed(left[: len(rest)] * _OTHER + rest)


def _mixed(values: Hashes) -> Hashes:
    spread = values * _ODD
    result: Hashes = spread ^ (spread >> _SHIFT)
    return result
