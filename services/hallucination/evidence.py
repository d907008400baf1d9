"""The sentences of a context that bear on what a response says."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from services.hallucination.words import NEGATION, Rarity, Word, stems, words
from services.shared.sentences import Sentence, sentences

MOST_PASSAGES = 1024  # of one document: longer ones are cut into as many longer pieces
MOST_IN_ALL = 4096  # of all documents together, likewise
KEPT_CHARACTERS = 16_384  # of a document: about 0.4 MB in the caches
REACH = 3  # content words between which an order is remembered
LEAST_GAIN = 1.5  # rarity that one more passage must support: less is a common word
SUPPORTS = 3  # passages for one sentence of a response
CHUNK_CHARACTERS = 260  # of a response in one pass: about 60 tokens
WINDOW_CHARACTERS = 420  # of context beside it: about 100 tokens
QUESTION_CHARACTERS = 100

Bond = tuple[str, str]


@dataclass(frozen=True)
class Passage:
    """One sentence of a context and the stems of its content words, in order."""

    text: str
    stems: tuple[str, ...]

    @property
    def negated(self) -> bool:
        """Whether the sentence denies an odd number of times."""
        return denies(self.text)


def passages_of(document: str) -> tuple[Passage, ...]:
    """The passages of one context document; those of documents that repeat are kept, unless they are long."""
    return _kept_passages(document) if len(document) <= KEPT_CHARACTERS else _passages(document)


def bonds_of(document: str) -> frozenset[int]:
    """Hashes of the pairs of stems that stand in this order, at most REACH content words apart, in one passage."""
    return _kept_bonds(document) if len(document) <= KEPT_CHARACTERS else _bonds(document)


def _passages(document: str, most: int = MOST_PASSAGES) -> tuple[Passage, ...]:
    return tuple(
        Passage(part.text, tuple(word.stem for word in words(part.text))) for part in sentences(document, most=most)
    )


def _together(documents: Sequence[str]) -> list[Passage]:
    """The passages of all documents; fewer and longer ones where they would be more than MOST_IN_ALL."""
    found = [passages_of(document) for document in documents]
    if (total := sum(map(len, found))) > MOST_IN_ALL:
        shares = [max(1, MOST_IN_ALL * len(passages) // total) for passages in found]
        found = [_passages(document, share) for document, share in zip(documents, shares, strict=True)]
    return [passage for passages in found for passage in passages]


def _bonds(document: str) -> frozenset[int]:
    # Hashes take a third of the memory of pairs; that two pairs share one of 64 bits does not happen.
    return frozenset(
        hash(bond)
        for passage in passages_of(document)
        for distance in range(1, REACH + 1)
        for bond in zip(passage.stems, passage.stems[distance:], strict=False)
    )


_kept_passages = lru_cache(256)(_passages)
_kept_bonds = lru_cache(128)(_bonds)


def denies(text: str) -> bool:
    """Whether a sentence denies, and does not deny its denial."""
    return len(NEGATION.findall(text)) % 2 == 1


class Given:
    """What a response may say: the passages of its context, and the words of the question.

    Passages are found by the rarity of the words that they share with a sentence. Time is linear in the context.
    """

    def __init__(self, documents: Iterable[str], question: str, rarity: Rarity) -> None:
        texts = list(documents)
        self.passages = _together(texts)
        self.bonds = frozenset[int]().union(*map(bonds_of, texts))  # together: words by documents takes minutes
        self.question = question
        self.asked = stems(question)
        self.rarity = rarity
        self._postings = _postings(self.passages)
        self.known = frozenset(self._postings)
        self._lengths = np.array([len(passage.stems) for passage in self.passages], np.float64)

    def bonded(self, bond: Bond) -> bool:
        """Whether the context holds the two stems near each other in this order."""
        return hash(bond) in self.bonds

    def supporting(self, said: Set[str], *, most: int = SUPPORTS) -> list[int]:
        """The passages that together hold most of what is said, best first; each adds something."""
        chosen: list[int] = []
        left = {stem for stem in said if stem in self._postings}
        while left and len(chosen) < most:
            scores = -1e-3 * self._lengths
            for stem in sorted(left):
                scores[self._postings[stem]] += self.rarity.of(stem)
            best = int(np.argmax(scores))
            if chosen and scores[best] < LEAST_GAIN:
                break
            chosen.append(best)
            left -= set(self.passages[best].stems)
        return chosen

    def around(self, passage: int) -> frozenset[str]:
        """The stems of a passage and its two neighbours: a pronoun's name stands next to it."""
        near = self.passages[max(0, passage - 1) : passage + 2]
        return frozenset(stem for each in near for stem in each.stems)


def _postings(passages: Sequence[Passage]) -> Mapping[str, npt.NDArray[np.int64]]:
    found: dict[str, list[int]] = {}
    for at, passage in enumerate(passages):
        for stem in dict.fromkeys(passage.stems):
            found.setdefault(stem, []).append(at)
    return {stem: np.array(where) for stem, where in found.items()}


@dataclass(frozen=True)
class Claim:
    """One sentence of a response, its content words, and the passages that come nearest to saying it."""

    sentence: Sentence
    words: Sequence[Word]  # their characters are those of the sentence
    supports: Sequence[int]

    @property
    def stems(self) -> frozenset[str]:
        """What it says."""
        return frozenset(word.stem for word in self.words)


def claims(response: str, given: Given) -> list[Claim]:
    """The sentences of a response, each with its passages."""
    found = []
    for sentence in sentences(response):
        said = words(sentence.text)
        supports = given.supporting(frozenset(word.stem for word in said))
        found.append(Claim(sentence, said, supports))
    return found


@dataclass(frozen=True)
class Pair:
    """What goes through the model in one pass: characters `start` to `end` of a response, beside a window."""

    claims: Sequence[Claim]
    window: str

    @property
    def start(self) -> int:
        """Its first character in the response."""
        return self.claims[0].sentence.start

    @property
    def end(self) -> int:
        """The character after its last."""
        return self.claims[-1].sentence.end


def pairs(found: Sequence[Claim], given: Given) -> list[Pair]:
    """Runs of sentences of about 260 characters, each beside the question and the passages that bear on it."""
    groups: list[list[Claim]] = []
    for claim in found:
        if groups and claim.sentence.end - groups[-1][0].sentence.start <= CHUNK_CHARACTERS:
            groups[-1].append(claim)
        else:
            groups.append([claim])
    return [Pair(group, window_for(group, given)) for group in groups]


def window_for(group: Sequence[Claim], given: Given) -> str:
    """The end of the question, then the passages that the claims need most, in the context's order.

    The best passage of every claim comes before the second of any; what room is left goes to neighbours.
    """
    best = [claim.supports[0] for claim in group if claim.supports]
    wanted = [claim.supports[rank] for rank in range(SUPPORTS) for claim in group if len(claim.supports) > rank]
    wanted += [at + step for at in best for step in (-1, 1) if 0 <= at + step < len(given.passages)]
    chosen: set[int] = set()
    room = WINDOW_CHARACTERS
    for at in dict.fromkeys(wanted or range(min(4, len(given.passages)))):
        length = len(given.passages[at].text) + 1
        if length <= room or not chosen:
            chosen.add(at)
            room -= length
    parts = [given.passages[at].text for at in sorted(chosen)]
    return "\n".join([*filter(None, [given.question.strip()[-QUESTION_CHARACTERS:]]), *parts])


def adjacent(found: Sequence[Word]) -> Iterator[Bond]:
    """The stems of neighbouring content words."""
    yield from ((one.stem, other.stem) for one, other in pairwise(found))
