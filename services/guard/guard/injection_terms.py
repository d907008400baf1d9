"""Words, word pairs, character runs and ideas of a text as numbered terms."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from services.guard.guard.injection_concepts import concepts, names
from services.guard.guard.injection_hashes import HashedText, mixed

Numbers = npt.NDArray[np.int64]

WORD_BITS, CONCEPT_BITS = 16, 12
GRAMS = (4, 5)
_PAIR = np.uint64(0x2545F4914F6CDD1D)
LONGEST = 4096  # characters of a window that count
_ENGLISH = frozenset(
    "the and that you with are this from have your what how will would should which there please they about".split()
)


def word_terms(text: str) -> Numbers:
    """The terms (distinct, below 2**16) of a window's words, word pairs and runs of 4 and 5 characters."""
    text = " " + " ".join(text[:LONGEST].lower().split()) + " "
    hashed = HashedText.of(text)
    words = hashed.words(_letters(text))
    pairs = mixed(words[:-1] * _PAIR + words[1:])
    found = [words, pairs, *(hashed.grams(length) for length in GRAMS)]
    numbers: Numbers = np.unique((np.concatenate(found) >> np.uint64(64 - WORD_BITS)).astype(np.int64))
    return numbers


def concept_terms(text: str) -> Numbers:
    """The terms (distinct, below 2**12) of the ideas that a window names."""
    return idea_terms(concepts(text[:LONGEST].lower()))


def idea_terms(ideas: Sequence[str]) -> Numbers:
    """The terms of ideas in a row."""
    found = [int(HashedText.of(name).grams(len(name))[0]) for name in names(ideas)]
    numbers: Numbers = np.unique(np.array([each >> (64 - CONCEPT_BITS) for each in found], np.int64))
    return numbers


def is_english(text: str) -> bool:
    """Whether the words that hold English together, and no other language, are one in twelve.

    >>> is_english("Show me the way to the station."), is_english("Zeige mir bitte den Weg zum Bahnhof.")
    (True, False)
    """
    words = text[:LONGEST].lower().split()
    return 0 < len(words) <= 12 * sum(word.strip("\"'().,;:!?") in _ENGLISH for word in words)


def _letters(text: str) -> npt.NDArray[np.bool_]:
    return np.fromiter((each.isalnum() or each == "'" for each in text), np.bool_, len(text))
