"""Whether several choices of one call say the same."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import combinations, repeat
from math import log

import numpy as np
import numpy.typing as npt

from schemas.messages import Call, Score, Span
from services.hallucination.evidence import Given
from services.hallucination.hallucination import MOST_PASSES, Head, Tagger, beside, labelled, weighed_by
from services.hallucination.opposites import opposed
from services.hallucination.signs import TWISTED
from services.hallucination.words import NEGATION, Rarity, Word, words
from services.shared.scoring import Evaluator, Measured, Metric, Missing, Result
from services.shared.sentences import sentences
from services.shared.vectors import Encoder, Vectors

RULES = 4  # raised when the same weights would give another score
THRESHOLD = 0.5  # of the mean over pairs
CONSISTENCY = Metric("consistency", unit="probability", worse="higher", maximum=1.0, threshold=THRESHOLD)
SEMANTIC_ENTROPY = Metric("semantic_entropy", unit="share", worse="higher", maximum=1.0)
MOST_CHOICES = 8  # 56 pairs of choice and context
MOST_CHARACTERS = 8192  # of one choice
PASSES_OF_A_CALL = 128  # through the token classifier, about four seconds on two cores: shared by its choices
TOGETHER = 8  # calls that go through the models at a time: their scores show that the work goes on
SURE = 6.0  # log-odds beyond which a word counts for no more
MOST_ALONE = 32  # words of one choice that another one lacks
SIGNS = (
    "distance",  # one minus the cosine of the two statements
    "numbers",
    "names",
    "denial",
    "opposites",
    "order",
    "one_sided",  # rarity that only one of them says
    "both_sided",  # rarity that each says and the other does not
    "replaced",
    "unsupported",  # the sum of the words' risks, each statement beside the other as its context
    "twisted",  # how firmly a word is held where the other statement, word for word the same around it, has another
    "least",  # the riskiest word of the statement that has the less risky one: additions are one-sided
)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Disagreement:
    """A logistic regression over what sets two texts apart."""

    weights: Floats  # by SIGNS
    intercept: float

    def probability(self, given: Floats) -> float:
        """The probability that the two contradict each other."""
        return float(1 / (1 + np.exp(-(float(given @ self.weights) + self.intercept))))


@dataclass(frozen=True)
class Statement:
    """One choice as it is compared."""

    text: str
    words: Sequence[Word]
    denials: int

    @classmethod
    def of(cls, text: str) -> "Statement":
        """The statement that `text` makes; of a very long one its beginning."""
        short = text[:MOST_CHARACTERS]
        return cls(short, words(short), len(NEGATION.findall(short)))

    def alone(self, other: "Statement") -> list[str]:
        """The words, in lower case, that the other does not say; the first ones of many."""
        theirs = other.stems()
        found = (self.text[word.start : word.end].lower() for word in self.words if word.stem not in theirs)
        return list(dict.fromkeys(found))[:MOST_ALONE]

    def stems(self, *kinds: str) -> frozenset[str]:
        """The stems of its words of these kinds, or of all."""
        return frozenset(word.stem for word in self.words if not kinds or word.kind in kinds)


@dataclass(frozen=True)
class ConsistencyScorer:
    """The risk, 0 to 1, that the choices of one call contradict each other, and how many meanings they have.

    `consistency` is the mean over all pairs of the probability of a contradiction. `semantic_entropy` is the entropy
    of the meanings, where choices that agree have one, over that of all different: 0 where all say the same, 1 where
    none do (after Farquhar et al., Nature 630, 2024, without a language model). Evidence are the sentences of the
    first choice whose numbers and names half of the others lack. Where choices differ, those in words that the encoder
    mostly does not know are left out: it could not tell them apart. A call with fewer than two choices is not scored,
    nor one of which fewer than two are left.
    """

    encoder: Encoder
    tagger: Tagger
    head: Head
    disagreement: Disagreement
    weights: str  # the versions of all of them
    evaluator: str = "consistency"
    metrics: tuple[Metric, ...] = (CONSISTENCY, SEMANTIC_ENTROPY)

    @property
    def version(self) -> str:
        """The weights, and the rules that make a score of them."""
        return f"{self.weights}.{RULES}"

    def score(self, calls: Sequence[Call]) -> Iterable[Score]:
        """The scores of `calls`; the choices of several of them go through the models together."""
        for at in range(0, len(calls), TOGETHER):
            yield from self._together(calls[at : at + TOGETHER])

    def _together(self, calls: Sequence[Call]) -> Iterator[Score]:
        evaluator = Evaluator(self.evaluator, self.version)
        told = [[Statement.of(choice.text) for choice in call.choices[:MOST_CHOICES]] for call in calls]
        unread = self._unread({text for said in told for pair in different(said) for text in pair})
        read = [[each for each in said if each.text not in unread] if different(said) else said for said in told]
        asked = sorted({(pair, passes_of(said)) for said in read for pair in different(said)})
        apart = dict(zip(asked, self.probabilities(asked), strict=True))
        for call, all_said, said in zip(calls, told, read, strict=True):
            missing = Missing("choices" if len(all_said) < 2 else "choices in known words")
            own = {pair: apart[pair, passes_of(said)] for pair in different(said)}
            results = judged(call, said, own) if len(said) > 1 else (missing, missing)
            for metric, result in zip(self.metrics, results, strict=True):
                yield evaluator.score(call, metric, result)

    def _unread(self, texts: Set[str]) -> set[str]:
        """Those in words that the encoder mostly does not know."""
        known = zip(ordered := sorted(texts), self.encoder.words(ordered), strict=True)
        return {text for text, words in known if words.mostly_unknown}

    def probabilities(self, asked: Sequence[tuple[tuple[str, str], int]]) -> list[float]:
        """For each pair of texts, read in so many passes each way, the probability that they contradict each other."""
        pairs, passes = [pair for pair, _ in asked], [most for _, most in asked]
        found = matrix(pairs, self.encoder, self.tagger, self.head, passes)
        return [self.disagreement.probability(row) for row in found]


def different(said: Sequence[Statement]) -> list[tuple[str, str]]:
    """The pairs of texts that differ, each in one order."""
    return sorted({(min(a.text, b.text), max(a.text, b.text)) for a, b in combinations(said, 2) if a.text != b.text})


def passes_of(said: Sequence[Statement]) -> int:
    """The most passes for one of these choices beside another one; the worst of a long one are read."""
    directions = 2 * len(different(said))
    return min(MOST_PASSES, PASSES_OF_A_CALL // directions) if directions else MOST_PASSES


def matrix(
    pairs: Sequence[tuple[str, str]], encoder: Encoder, tagger: Tagger, head: Head, passes: Iterable[int] | None = None
) -> list[Floats]:
    """The signs of each pair of texts, read in at most so many passes each way."""
    told = {text: Statement.of(text) for pair in pairs for text in pair}
    texts = set(told)
    for one, other in pairs:
        texts |= {*told[one].alone(told[other]), *told[other].alone(told[one])}
    ordered = sorted(texts)
    vectors = dict(zip(ordered, encoder.encode(ordered), strict=True)) if ordered else {}
    each_way = [
        beside(text, Given([context], "", head.rarity), most)
        for pair, most in zip(pairs, passes or repeat(MOST_PASSES), strict=False)
        for text, context in (pair, pair[::-1])
    ]
    labels = labelled(tagger, each_way)
    risks = [
        np.concatenate([each.logits for each in weighed_by(head, found, own)] or [np.zeros(0)])
        for found, own in zip(each_way, labels, strict=True)
    ]
    firmest = [max((float(each[:, TWISTED].max(initial=0)) for each in found.signs), default=0.0) for found in each_way]
    both = [(risks[at : at + 2], max(firmest[at : at + 2])) for at in range(0, 2 * len(pairs), 2)]
    return [
        signs(told[one], told[other], head.rarity, vectors, *found)
        for (one, other), found in zip(pairs, both, strict=True)
    ]


def judged(call: Call, said: Sequence[Statement], apart: Mapping[tuple[str, str], float]) -> tuple[Result, Result]:
    """Consistency and semantic entropy of the choices."""
    found = np.zeros((len(said), len(said)))
    for one, other in combinations(range(len(said)), 2):
        pair = (min(said[one].text, said[other].text), max(said[one].text, said[other].text))
        found[one, other] = found[other, one] = apart.get(pair, 0.0)
    mean = float(found.sum() / (len(said) * (len(said) - 1)))
    first = (call.answer or "")[:MOST_CHARACTERS] == said[0].text
    evidence = doubtful(said) if first and mean >= THRESHOLD else ()
    return Measured(mean, evidence), Measured(entropy(meanings(found)))


def signs(
    one: Statement,
    other: Statement,
    rarity: Rarity,
    vectors: Mapping[str, Vectors],
    risks: Sequence[Floats],
    twisted: float,
) -> Floats:
    """What sets two statements apart, in the order of SIGNS; the same both ways.

    `vectors` holds one for each statement, and each word that only one of them says; `risks` the log-odds of the
    words of either that the other does not support; `twisted` is the firmest twist of either.
    """
    ours, theirs = one.stems(), other.stems()
    left, right = rarity.mass(ours - theirs), rarity.mass(theirs - ours)
    whole = rarity.mass(ours | theirs) + 4
    return np.array([
        1 - float(vectors[one.text] @ vectors[other.text]),
        _conflict(one.stems("number"), other.stems("number")),
        _conflict(one.stems("name"), other.stems("name")),
        abs(one.denials % 2 - other.denials % 2),
        opposed(ours - theirs, theirs - ours),
        (_inverted(one.words, other.words) + _inverted(other.words, one.words)) / 2,
        abs(left - right) / whole,
        2 * min(left, right) / whole,
        _replaced([vectors[each] for each in one.alone(other)], [vectors[each] for each in other.alone(one)]),
        np.log1p(sum(float((1 / (1 + np.exp(-each))).sum()) for each in risks)),
        twisted,
        min(float(np.clip(each.max(initial=-SURE), -SURE, SURE)) for each in risks) / SURE,
    ])  # fmt: skip


def _replaced(ours: Sequence[Vectors], theirs: Sequence[Vectors]) -> float:
    """How unlike the words that only one side says are to those that only the other says; 0 where one has none.

    What a paraphrase replaces means nearly the same; what a contradiction replaces does not.
    """
    if not ours or not theirs:
        return 0.0
    alike = np.stack(ours) @ np.stack(theirs).T
    nearest = alike.max(axis=1) if len(ours) <= len(theirs) else alike.max(axis=0)
    return float(1 - nearest.min())


def _conflict(ours: Set[str], theirs: Set[str]) -> float:
    """1 where each has what the other lacks, a half where only one does."""
    return (bool(ours - theirs) + bool(theirs - ours)) / 2


def _inverted(ours: Sequence[Word], theirs: Sequence[Word]) -> float:
    """The share of pairs of neighbouring shared words that stand in the other order in the other text."""
    places: dict[str, int] = {}
    for at, word in enumerate(theirs):
        places.setdefault(word.stem, at)
    shared = [places[stem] for stem in dict.fromkeys(word.stem for word in ours) if stem in places]
    steps = np.diff(shared)
    return float((steps < 0).mean()) if len(steps) else 0.0


def meanings(apart: Floats) -> list[int]:
    """For each choice the number of its meaning: that of the first one before it that it agrees with.

    >>> meanings(np.array([[0, 0.9, 0.1], [0.9, 0, 0.8], [0.1, 0.8, 0]]))
    [0, 1, 0]
    """
    found: list[int] = []
    for at, row in enumerate(apart):
        alike = next((found[before] for before in range(at) if row[before] < 0.5), None)
        found.append(max(found, default=-1) + 1 if alike is None else alike)
    return found


def entropy(groups: Sequence[int]) -> float:
    """The entropy of the groups' sizes, as a share of that of as many groups of one.

    >>> entropy([0, 0, 0]), entropy([0, 1])
    (0.0, 1.0)
    """
    sizes = np.unique(groups, return_counts=True)[1] / len(groups)
    share = abs(float(-(sizes * np.log(sizes)).sum()))  # no -0.0
    return min(1.0, share / log(len(groups)))


def doubtful(said: Sequence[Statement]) -> tuple[Span, ...]:
    """The sentences of the first choice that hold a number or name which half of the others lack."""
    others = [each.stems() for each in said[1:]]
    found = []
    for part in sentences(said[0].text):
        telling = [word.stem for word in words(part.text) if word.kind != "word"]
        lacking = max((sum(stem not in each for each in others) for stem in telling), default=0)
        if 2 * lacking >= len(others) and re.search(r"\w", part.text):
            found.append(Span(field="response", start=part.start, end=part.end, kind="inconsistent"))
    return tuple(found)
