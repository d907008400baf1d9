"""Content words, how rare they are, and which of them are new."""

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

# Thai, Lao, Burmese, Khmer, hiragana, ideographs: without spaces a whole clause would be one "word", new as soon as it
# is put otherwise. Each character counts as a word there.
_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
WORD = re.compile(rf"\d+(?:[.,:]\d+)*|[{_UNSPACED}]|[^\W\d_{_UNSPACED}]+(?:['’][^\W\d_]+)?")
LONGEST_KEPT = 64  # characters of a word whose stem is kept: some "words" have a hundred thousand
_NUMBER = re.compile(r"\d")
_ENDINGS = re.compile(
    r"(?:ational|ation|ization|fulness|ousness|iveness|ically|ments?|ings?|edly|ness|ally|ions?|ies|ied|ers?|ed|es|ly|al"
    r"|s|e|y)$"
)
STOP_WORDS = frozenset(
    "a about above after again against all also am an and any are aren't as at be because been before being below "
    "between both but by can can't cannot could couldn't did didn't do does doesn't doing don't down during each few "
    "for from further had has hasn't have haven't having he her here hers him his how however i if in into is isn't "
    "it it's its itself just let let's may me might more most must my no nor not now of off on once only or other our "
    "ours out over own s same shall she should shouldn't since so some such t than that that's the their theirs them "
    "then there there's these they they're this those through to too under until up upon us very was wasn't we were "
    "weren't what when where which while who whom whose why will with within without won't would wouldn't yes you "
    "your yours".split()
)


NEGATION = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|nor|without|cannot|unable|fail(?:s|ed)? to)\b|n['’]t\b",
    re.IGNORECASE,
)
Kind = Literal["word", "number", "name"]


@dataclass(frozen=True)
class Word:
    """A content word or number, at characters `start` to `end` (exclusive) of its text."""

    start: int
    end: int
    stem: str
    kind: Kind


@dataclass(frozen=True)
class Rarity:
    """Inverse document frequency (natural logarithm) of stems; one that was never seen is as rare as can be."""

    idf: Mapping[str, float]
    unseen: float

    def of(self, stem: str) -> float:
        """The rarity of one stem."""
        return self.idf.get(stem, self.unseen)

    def mass(self, stems: Set[str]) -> float:
        """The summed rarity of several; in a fixed order, because sums of floats depend on it."""
        return sum(self.of(stem) for stem in sorted(stems))


def stems(text: str) -> frozenset[str]:
    """The stems of content words, and the numbers, of `text`.

    >>> sorted(stems("The threads were joined in 1,200 ms"))
    ['1200', 'join', 'ms', 'thread']
    >>> sorted(stems("2005年の会社"))
    ['2005', 'の', '会', '年', '社']
    """
    found = map(str.lower, WORD.findall(text))  # lowered after they are split, as those of `words`: İ becomes two
    return frozenset(stem(word) for word in found if word not in STOP_WORDS)


def words(text: str) -> list[Word]:
    """The content words and numbers of `text`, in order; a name is a capitalised word that starts no sentence.

    >>> [(word.stem, word.kind) for word in words("In 1,200 ms, Anna joined.")]
    [('1200', 'number'), ('ms', 'word'), ('anna', 'name'), ('join', 'word')]
    """
    return [
        Word(match.start(), match.end(), stem(match[0].lower()), kind_of(text, match))
        for match in WORD.finditer(text)
        if match[0].lower() not in STOP_WORDS
    ]


def kind_of(text: str, match: re.Match[str]) -> Kind:
    """What a word of `text` is by its form and its place."""
    if _NUMBER.match(match[0]):
        return "number"
    if not match[0][0].isupper():
        return "word"
    before = text[max(0, match.start() - 3) : match.start()].rstrip(" *_\"'“‘(")
    return "name" if before and before[-1] not in ".!?:\n•-" else "word"


def stem(word: str) -> str:
    """A word without its ending; coarse on purpose: a stem too short hides a new word, one too long invents it."""
    return _kept_stem(word) if len(word) <= LONGEST_KEPT else _stem(word)


def _stem(word: str) -> str:
    if _NUMBER.match(word):
        return word.replace(",", "").rstrip(".:")
    word = re.sub(r"['’]\w*$", "", word)
    short = _ENDINGS.sub("", word)
    return short if len(short) >= 3 else word


_kept_stem = lru_cache(65_536)(_stem)
