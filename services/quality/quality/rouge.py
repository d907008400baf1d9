"""ROUGE of a response against its reference."""

import re
from collections import Counter
from collections.abc import Sequence

from rapidfuzz.distance import LCSseq

from schemas.messages import Call
from services.quality.quality.reference import compared
from services.shared.scoring import Measured, Metric, Missing, Result

ROUGE_1 = Metric("rouge_1", unit="1", worse="lower", maximum=1.0)
ROUGE_2 = Metric("rouge_2", unit="1", worse="lower", maximum=1.0)
ROUGE_L = Metric("rouge_l", unit="1", worse="lower", maximum=1.0)
LONGEST = 50_000  # words: a longest common subsequence takes time in the product of both lengths

_WORD = re.compile(r"[a-z0-9]+")


def rouge_1(call: Call) -> Result:
    """F1 of words (Lin, 2004), as rouge-score gives it without stemming."""
    return compared(call, lambda response, reference: _of_grams(response, reference, 1))


def rouge_2(call: Call) -> Result:
    """F1 of pairs of neighbouring words."""
    return compared(call, lambda response, reference: _of_grams(response, reference, 2))


def rouge_l(call: Call) -> Result:
    """F1 of the longest common subsequence of words; of a longer text its first 50,000 words."""
    return compared(call, _of_subsequence)


def words(text: str) -> list[str]:
    """The words that ROUGE counts: runs of a-z and 0-9 in lower case; of other scripts it sees nothing.

    >>> words("It's 5 o'clock.")
    ['it', 's', '5', 'o', 'clock']
    """
    return _WORD.findall(text.lower())


def _of_grams(response: str, reference: str, n: int) -> Result:
    given, wanted = words(response), words(reference)
    if not wanted:
        return NO_WORDS
    theirs, ours = _grams(given, n), _grams(wanted, n)
    return Measured(_f1((theirs & ours).total(), theirs.total(), ours.total()))


def _of_subsequence(response: str, reference: str) -> Result:
    given, wanted = words(response)[:LONGEST], words(reference)[:LONGEST]
    if not wanted:
        return NO_WORDS
    return Measured(_f1(LCSseq.similarity(given, wanted), len(given), len(wanted)))


# rouge-score says 0 here, which would read as a wrong answer in every language that it cannot read.
NO_WORDS = Missing("reference (no word in a-z or 0-9)")


def _grams(found: Sequence[str], n: int) -> "Counter[tuple[str, ...]]":
    return Counter(zip(*(found[start:] for start in range(n)), strict=False))


def _f1(common: int, given: int, wanted: int) -> float:
    return 2.0 * common / (given + wanted) if common else 0.0
