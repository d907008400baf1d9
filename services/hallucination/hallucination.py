"""How likely a response says what its context does not support."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from schemas.messages import Call, Score, Span
from services.hallucination.evidence import Claim, Given, Pair, claims, pairs
from services.hallucination.features import Weighed, features
from services.hallucination.signs import signs
from services.hallucination.words import Rarity
from services.shared.scoring import Evaluator, Measured, Metric, Missing, Result

Floats = npt.NDArray[np.float64]
Labels = Sequence[Floats]  # for each run that the model read, log-odds by character

THRESHOLD = 0.5  # best F1 on answers of current models: weights/MODEL_CARD.md
HALLUCINATION = Metric("hallucination", unit="probability", worse="higher", maximum=1.0, threshold=THRESHOLD)
RULES_VERSION = "5"  # of signs, evidence and features
MOST_PASSES = 32  # of one response through the model: what looks worst, about 8,000 characters
LONGEST_PASS = 800  # characters of a sentence that is read by the model; text without any stop is judged by its words
PLAIN = -4.0  # log-odds of a word of a sentence that the model need not read
MOSTLY = 0.6  # share of a sentence's words from which the whole sentence is the evidence


class Tagger(Protocol):
    """Labels the tokens of a text beside a window of its context."""

    version: str

    def tag(self, given: Sequence[tuple[str, str]]) -> Sequence[tuple[npt.NDArray[np.int64], Floats]]:
        """For each window and text the characters of the text's tokens (tokens by 2) and their log-odds (tokens)."""


@dataclass(frozen=True)
class Head:
    """Two logistic regressions: over a word's log-odds and signs, and over the features of a response."""

    word_slope: float
    word_intercept: float
    lexical: Floats  # by SIGNS
    centre: Floats  # by FEATURES, as the two below
    scale: Floats
    weights: Floats
    intercept: float
    word_threshold: float  # log-odds from which a word is evidence
    rarity: Rarity
    version: str

    def word_logits(self, heard: Floats, found: Floats) -> Floats:
        """The log-odds that words are unsupported, by what the model says (words) and their signs (words by SIGNS)."""
        return np.asarray(self.word_slope * heard + found @ self.lexical + self.word_intercept)

    def probability(self, found: Floats) -> float:
        """The probability that the response is unsupported."""
        logit = float(((found - self.centre) / self.scale) @ self.weights) + self.intercept
        return float(1 / (1 + np.exp(-logit)))


@dataclass(frozen=True)
class Judged:
    """One call ready to be judged: what it may say, its sentences with their signs, and what the model reads."""

    response: str
    given: Given
    claims: Sequence[Claim]
    signs: Sequence[Floats]
    read: Sequence[Pair]


@dataclass(frozen=True)
class HallucinationScorer:
    """The risk, 0 to 1, that a response says what its context does not support; the evidence are such words.

    Every token of the response is labelled by a model in one pass beside the passages of the context that bear on it;
    a sentence without any lexical sign is not passed to it. Words' labels and signs add up to a calibrated
    probability. Spans are characters of `Call.answer` (field `response`): runs of unsupported words, or a whole
    sentence where most of its words are. They are given where the response is labelled.
    """

    tagger: Tagger
    head: Head
    evaluator: str = "hallucination"
    metrics: tuple[Metric, ...] = (HALLUCINATION,)

    @property
    def version(self) -> str:
        """The model's and the head's weights, and the rules' version."""
        return f"{self.tagger.version}+{self.head.version}+{RULES_VERSION}"

    def score(self, calls: Sequence[Call]) -> Iterable[Score]:
        """The scores of `calls`; what the model has to read of all of them goes through it together."""
        evaluator = Evaluator(self.evaluator, self.version)
        found = [prepared(call, self.head.rarity) for call in calls]
        labels = iter(labelled(self.tagger, [each for each in found if isinstance(each, Judged)]))
        for call, judged in zip(calls, found, strict=True):
            result = self._judge(judged, next(labels)) if isinstance(judged, Judged) else judged
            yield evaluator.score(call, HALLUCINATION, result)

    def _judge(self, judged: Judged, labels: Labels) -> Measured:
        weighed = weighed_by(self.head, judged, labels)
        value = self.head.probability(features(weighed, judged.given))
        return Measured(value, evidence(self.head, weighed) if value >= THRESHOLD else ())


def evidence(head: Head, found: Sequence[Weighed]) -> tuple[Span, ...]:
    """The words at the threshold; where there are none, the sentence with the riskiest."""
    spans = [span for each in found for span in _spans(each, head.word_threshold)]
    if not spans:
        worst = max((each for each in found if len(each.logits)), key=lambda each: float(each.logits.max()))
        spans = [_span(worst.claim.sentence.start, worst.claim.sentence.end, worst.logits)]
    return tuple(spans)


def prepared(call: Call, rarity: Rarity) -> Judged | Result:
    """The call as it is judged, or why it cannot be."""
    if not any(document.text.strip() for document in call.context):
        return Missing("context")
    if call.answer is None:
        return Missing("response")
    given = Given([document.text for document in call.context], call.question or "", rarity)
    if not given.passages:
        return Missing("context")
    found = beside(call.answer, given)
    if not any(claim.words for claim in found.claims):
        return Measured(0.0)  # a response that says nothing invents nothing
    return found


def beside(response: str, given: Given, passes: int = MOST_PASSES) -> Judged:
    """The response by sentences, with their signs, and what of it the model has to read."""
    found = claims(response, given)
    seen = [signs(claim, given) for claim in found]
    return Judged(response, given, found, seen, screened(found, seen, given, passes))


def screened(found: Sequence[Claim], seen: Sequence[Floats], given: Given, passes: int) -> list[Pair]:
    """What the model has to read: the runs of sentences that show any sign, the worst of a very long response."""
    suspicion = {claim.sentence.start: float(each.sum()) for claim, each in zip(found, seen, strict=True)}
    wanted = [
        (sum(suspicion[claim.sentence.start] for claim in pair.claims), -pair.start, pair)
        for pair in pairs(found, given)
        if pair.end - pair.start <= LONGEST_PASS
    ]
    worst = sorted((each for each in wanted if each[0] > 0), key=lambda each: each[:2], reverse=True)[:passes]
    return sorted((pair for _, _, pair in worst), key=lambda pair: pair.start)


def labelled(tagger: Tagger, found: Sequence[Judged]) -> list[Labels]:
    """For each call the log-odds of the characters of every run that its model reads."""
    runs = [(pair.window, judged.response[pair.start : pair.end]) for judged in found for pair in judged.read]
    tagged = iter(tagger.tag(runs) if runs else ())
    return [[by_character(*next(tagged), pair.end - pair.start) for pair in judged.read] for judged in found]


def weighed_by(head: Head, judged: Judged, labels: Labels) -> list[Weighed]:
    """The sentences with their words' log-odds: those of each word's riskiest token, joined with its signs."""
    return [
        Weighed(claim, found, head.word_logits(own, found))
        for claim, found, own in zip(judged.claims, judged.signs, heard(judged, labels), strict=True)
    ]


def heard(judged: Judged, labels: Labels) -> list[Floats]:
    """For each sentence what the model says of its words; of one that it did not read, that it is supported."""
    read = {
        claim.sentence.start: characters[claim.sentence.start - pair.start :]
        for pair, characters in zip(judged.read, labels, strict=True)
        for claim in pair.claims
    }
    return [
        np.array([found[word.start : word.end].max() for word in claim.words], np.float64)
        if (found := read.get(claim.sentence.start)) is not None
        else np.full(len(claim.words), PLAIN)
        for claim in judged.claims
    ]


def by_character(spans: npt.NDArray[np.int64], logits: Floats, size: int) -> Floats:
    """The log-odds of the token that each of `size` characters belongs to."""
    found = np.full(size, PLAIN)
    for (start, end), logit in zip(spans, logits, strict=True):
        found[start:end] = logit
    return found


def _spans(found: Weighed, threshold: float) -> list[Span]:
    """The runs of neighbouring words at or above the threshold, or the sentence where they are most of it."""
    wrong = found.logits >= threshold
    sentence = found.claim.sentence
    if len(wrong) > 2 and wrong.mean() >= MOSTLY:
        return [_span(sentence.start, sentence.end, found.logits)]
    spans, run = [], list[int]()
    for at, each in enumerate([*wrong, False]):
        if each:
            run.append(at)
        elif run:
            first, last = found.claim.words[run[0]], found.claim.words[run[-1]]
            spans.append(_span(sentence.start + first.start, sentence.start + last.end, found.logits[run]))
            run = []
    return spans


def _span(start: int, end: int, logits: Floats) -> Span:
    risk = float(1 / (1 + np.exp(-logits.max())))
    return Span(field="response", start=start, end=end, kind="unsupported", value=round(risk, 4))
