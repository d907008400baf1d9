"""Texts as words that compare alike however they are written, and runs of words as numbers."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# Scripts that write no blanks between words: every character counts as half a word.
_SINGLE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\u0e00-\u0e7f"
# Accents coded apart, soft hyphens and zero widths belong to the letter before them.
_UNSEEN = "\u00ad\u0300-\u036f\u200b-\u200d\u2060\ufeff"
_WORD = re.compile(rf"([{_SINGLE}])|(?:(?![{_SINGLE}])[^\W_][{_UNSEEN}]{{0,8}}){{1,64}}")
_FORMAT = dict.fromkeys([0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF])
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Reading:
    """The words of a text: a hash of each, where it stands and how much of a word it is."""

    hashes: Hashes
    starts: Places
    ends: Places
    weights: Floats

    def runs(self, size: int) -> Hashes:
        """A hash of each `size` words in a row (words - size + 1), none where there are fewer."""
        count = len(self.hashes) - size + 1
        if count <= 0:
            return np.empty(0, np.uint64)
        result = np.zeros(count, np.uint64)
        for shift in range(size):
            result = (result * _FACTOR + self.hashes[shift : shift + count]) * _FACTOR
            result ^= result >> np.uint64(29)
        return result


def reading(text: str) -> Reading:
    """The words of `text`, whatever their case, width, accents' coding and the signs between them.

    >>> first, second = reading("Never tell it!"), reading("never  *tell* IT")
    >>> (first.hashes == second.hashes).all()
    True
    """
    found = list(_WORD.finditer(text))
    return Reading(
        np.array([_hash(match[0]) for match in found], np.uint64),
        np.array([match.start() for match in found], np.int64),
        np.array([match.end() for match in found], np.int64),
        np.array([0.5 if match[1] else 1.0 for match in found]),
    )


@lru_cache(65_536)
def _hash(word: str) -> int:
    plain = folded(word).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(plain, digest_size=8).digest(), "big")


def folded(word: str) -> str:
    """A word without case, width, unseen characters and ways to code an accent.

    >>> folded("Ca\u200bfe\u0301")
    'café'
    """
    if word.isascii():
        return word.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", word.translate(_FORMAT)).casefold())
