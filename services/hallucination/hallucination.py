"""How likely a response says what its context does not support."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from schemas.messages import Call, Score, Span
from services.hallucination.words import Rarity, stems
from services.shared.scoring import Evaluator, Measured, Metric, Missing, Result
from services.shared.sentences import Sentence, sentences

Vectors = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

# Best F1 on the training sources: training/MODEL_CARD.md.
HALLUCINATION = Metric("hallucination", unit="probability", worse="higher", maximum=1.0, threshold=0.5)
WINDOW_CHARACTERS = 500  # of context: about three sentences, where a claim's words usually stand together
MOST_WINDOWS = 256
FEATURES = ("novel_share", "dissimilarity")
PROOF = 4.0  # rarity that is added to what was said: the new words of a very short response prove little


class Encoder(Protocol):
    """Texts to unit vectors, cached by content: context documents repeat."""

    version: str

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors (texts by dimension)."""


@dataclass(frozen=True)
class Head:
    """A logistic regression over the features of a response."""

    centre: Floats
    scale: Floats
    weights: Floats
    intercept: float
    rarity: Rarity
    version: str

    def probability(self, features: Floats) -> float:
        """The probability that the response is unsupported."""
        logit = float(((features - self.centre) / self.scale) @ self.weights) + self.intercept
        return float(1 / (1 + np.exp(-logit)))


@dataclass(frozen=True)
class Judged:
    """One call ready to be judged: its response by sentences, and what it may say."""

    parts: Sequence[Sentence]
    windows: Sequence[str]
    known: frozenset[str]  # stems of context and question


@dataclass(frozen=True)
class HallucinationScorer:
    """The risk, 0 to 1, that a response says what its context does not support; such sentences are the evidence.

    Each sentence is compared with the windows of the context by the encoder, and by the rarity of the words that
    neither context nor question holds. It sees additions far better than contradictions that reuse the context's
    words. Spans are characters of `Call.answer` (field `response`).
    """

    encoder: Encoder
    head: Head
    evaluator: str = "hallucination"
    metrics: tuple[Metric, ...] = (HALLUCINATION,)

    @property
    def version(self) -> str:
        """Encoder's and head's weights."""
        return f"{self.encoder.version}+{self.head.version}"

    def score(self, calls: Sequence[Call]) -> Iterable[Score]:
        """The scores of `calls`; sentences and windows of all of them go through the encoder together."""
        evaluator = Evaluator(self.evaluator, self.version)
        found = [prepared(call) for call in calls]
        similar = iter(similarities(self.encoder, [judged for judged in found if isinstance(judged, Judged)]))
        for call, judged in zip(calls, found, strict=True):
            result = self._judge(judged, next(similar)) if isinstance(judged, Judged) else judged
            yield evaluator.score(call, HALLUCINATION, result)

    def _judge(self, judged: Judged, similarity: Floats) -> Measured:
        rarity = self.head.rarity
        value = self.head.probability(features(judged.parts, judged.known, similarity, rarity))
        risks = [
            self.head.probability(features([part], judged.known, similarity[at : at + 1], rarity))
            for at, part in enumerate(judged.parts)
        ]
        limit = min(HALLUCINATION.threshold or 0.5, max(risks)) if value >= (HALLUCINATION.threshold or 0.5) else 1.1
        return Measured(value, tuple(
            Span(field="response", start=part.start, end=part.end, kind="unsupported", value=round(risk, 4))
            for part, risk in zip(judged.parts, risks, strict=True)
            if risk >= limit
        ))  # fmt: skip


def prepared(call: Call) -> Judged | Result:
    """The call as it is judged, or why it cannot be."""
    windows = [window for document in call.context for window in windows_of(document.text)]
    if not windows:
        return Missing("context")
    if call.answer is None:
        return Missing("response")
    parts = sentences(call.answer)
    if not parts:
        return Measured(0.0)  # a response that says nothing invents nothing
    context = frozenset().union(*(stems_of(document.text) for document in call.context))
    return Judged(parts, windows[:MOST_WINDOWS], context | stems(call.question or ""))


@lru_cache(1024)
def stems_of(document: str) -> frozenset[str]:
    """The stems of a context document."""
    return stems(document)


@lru_cache(1024)
def windows_of(document: str) -> tuple[str, ...]:
    """The document in runs of whole sentences, of about 500 characters each; of a very long one its first 256."""
    windows: list[str] = []
    start, end = 0, 0
    for sentence in sentences(document, most=1024):
        if end > start and sentence.end - start > WINDOW_CHARACTERS:
            windows.append(document[start:end])
            start = sentence.start
        end = sentence.end
    return (*windows, document[start:end])[:MOST_WINDOWS] if end > start else ()


def similarities(encoder: Encoder, judged: Sequence[Judged]) -> list[Floats]:
    """For each call, the cosine of each sentence to the window that is most like it."""
    texts = [text for each in judged for text in (*(part.text for part in each.parts), *each.windows)]
    vectors = encoder.encode(texts)
    found, at = [], 0
    for each in judged:
        said = vectors[at : at + len(each.parts)]
        given = vectors[at + len(each.parts) : at + len(each.parts) + len(each.windows)]
        found.append((said @ given.T).max(axis=1).astype(np.float64))
        at += len(each.parts) + len(each.windows)
    return found


def features(parts: Sequence[Sentence], known: frozenset[str], similarity: Floats, rarity: Rarity) -> Floats:
    """What the head sees of a response, in the order of FEATURES; each is 0 to 1 and grows with the risk.

    Shares of the response, not sums or its worst sentence: real answers hold openers and closing offers, which no
    context supports, and the longer an answer is the more of them it holds.
    """
    said = frozenset().union(*(stems(part.text) for part in parts))
    lengths = [part.end - part.start for part in parts]
    novel_share = rarity.mass(said - known) / (rarity.mass(said) + PROOF)
    return np.array([novel_share, 1 - float(np.average(similarity, weights=lengths))])
