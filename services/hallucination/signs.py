"""Lexical signs, word by word, that a response says what its context does not."""

from collections.abc import Sequence, Set

import numpy as np
import numpy.typing as npt

from services.hallucination.alignment import twists
from services.hallucination.evidence import Claim, Given, adjacent, denies
from services.hallucination.words import Word

Floats = npt.NDArray[np.float64]

SIGNS = (
    "novel",  # rarity of a word that neither context nor question holds
    "novel_number",
    "novel_name",
    "displaced",  # rarity of a word that the context holds, but not near the passage that supports its sentence
    "displaced_number",
    "displaced_name",
    "unbonded",  # rarity of a known word that stands beside neither neighbour in the context
    "reversed",  # it stands beside its neighbour in the context, but only in the other order
    "twisted",  # it stands where the passage, word for word the same around it, says something else
    "asked",  # rarity of a word that only the question holds
    "negated",  # its sentence denies and the passage does not, or the reverse
    "uncovered",  # share of its sentence that the best passage does not hold
)
NOVEL, DISPLACED, UNBONDED, REVERSED, TWISTED, ASKED, NEGATED, UNCOVERED = map(
    SIGNS.index, ("novel", "displaced", "unbonded", "reversed", "twisted", "asked", "negated", "uncovered")
)
BEHIND = {"number": 1, "name": 2}  # the sign of any such word, where novel and displaced have one
OF_SENTENCE = slice(NEGATED, len(SIGNS))  # the same for all its words
RAREST = 8.0  # what rarity is divided by
FOLLOWED = 2  # passages of which a sentence may follow one word for word
ALIKE = 0.5  # share of a sentence that its passage must hold before denial is compared


def signs(claim: Claim, given: Given) -> Floats:
    """The signs (words of the claim by SIGNS), each 0 to about 1."""
    found = np.zeros((len(claim.words), len(SIGNS)))
    if not claim.words:
        return found
    near = given.around(claim.supports[0]) if claim.supports else frozenset[str]()
    tied, turned = _order(claim.words, given)
    for row, word in enumerate(claim.words):
        weight = given.rarity.of(word.stem) / RAREST
        if word.stem in given.known:
            found[row, UNBONDED] = 0 if tied[row] else weight
            found[row, REVERSED] = turned[row]
        column = _column(word.stem, near, given)
        if column is not None:
            found[row, column] = weight
            if column != ASKED and word.kind in BEHIND:
                found[row, column + BEHIND[word.kind]] = 1
    found[:, TWISTED] = _twisted(claim, given)
    found[:, UNCOVERED] = uncovered = _uncovered(claim, given)
    if claim.supports and uncovered <= ALIKE:
        found[:, NEGATED] = denies(claim.sentence.text) != given.passages[claim.supports[0]].negated
    return found


def _twisted(claim: Claim, given: Given) -> Floats:
    """How firmly each word is held in a place where the passage says something else (words)."""
    found = np.zeros(len(claim.words))
    for twist in twists(claim.sentence.text, [given.passages[at].text for at in claim.supports[:FOLLOWED]]):
        # A denial may be no content word: the next one is denied, or the last.
        touched = [row for row, word in enumerate(claim.words) if word.end > twist.start and word.start < twist.end]
        after = next((row for row, word in enumerate(claim.words) if word.start >= twist.end), len(claim.words) - 1)
        rows = touched or [after]
        found[rows] = np.maximum(found[rows], twist.weight)
    return found


def _column(stem: str, near: Set[str], given: Given) -> int | None:
    """The sign of where a word stands: nowhere, in the question alone, or far from its passage; else none."""
    if stem in given.asked:
        return None if stem in given.known else ASKED
    if stem not in given.known:
        return NOVEL
    return None if stem in near else DISPLACED


def _order(found: Sequence[Word], given: Given) -> tuple[list[bool], list[bool]]:
    """For each word, whether the context holds it beside a neighbour, and whether only in the other order."""
    together = [given.bonded(bond) for bond in adjacent(found)]
    turned = [
        not holds and bond[0] != bond[1] and given.bonded((bond[1], bond[0]))
        for bond, holds in zip(adjacent(found), together, strict=True)
    ]
    tied = [left or right for left, right in zip([False, *together], [*together, False], strict=True)]
    return tied, [left or right for left, right in zip([False, *turned], [*turned, False], strict=True)]


def _uncovered(claim: Claim, given: Given) -> float:
    """The share of what the claim says that neither its best passage, with neighbours, nor the question holds."""
    said = claim.stems
    near = given.around(claim.supports[0]) if claim.supports else frozenset[str]()
    return given.rarity.mass(said - near - given.asked) / max(given.rarity.mass(said), 1e-6)
