"""From windows to log-odds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from services.guard.guard.injection_terms import WORD_BITS, concept_terms, is_english, word_terms
from services.guard.guard.injection_windows import Window

Vectors = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]
UNLIKELY = -30.0  # log-odds of what is not judged


class Head(Protocol):
    """Judges the windows of one text."""

    def screen(self, windows: Sequence[Window]) -> Vectors:
        """How suspicious each window is at a glance, without the encoder (windows)."""

    def logits(self, windows: Sequence[Window], vectors: Vectors) -> Vectors:
        """Uncalibrated log-odds (windows by 3): by meaning and wording; by ideas, if it is English; by ideas, if not.

        `vectors` are the unit vectors of the windows (windows by dimension).
        """


@dataclass(frozen=True)
class Network:
    """One hidden layer (GELU) over a window's vector and its place in the text."""

    hidden: tuple[Vectors, Vectors]
    output: tuple[Vectors, Vectors]

    def logits(self, inputs: Vectors) -> Vectors:
        """Log-odds (windows)."""
        inner = inputs @ self.hidden[0] + self.hidden[1]
        active = 0.5 * inner * (1 + np.tanh(0.7978845608 * (inner + 0.044715 * inner**3)))
        result: Vectors = (active @ self.output[0] + self.output[1])[:, 0]
        return result


@dataclass(frozen=True)
class WindowHead:
    """A network over the encoder's vectors beside a linear model over words, and one over ideas."""

    network: Network
    words: Vectors  # weights (2**16)
    concepts: Vectors  # weights (2**12)
    intercepts: tuple[float, float]

    def screen(self, windows: Sequence[Window]) -> Vectors:
        """See Head."""
        weights = [weighed(self.words, word_terms(window.text)) + self.intercepts[0] for window in windows]
        return np.array(weights, np.float32)

    def logits(self, windows: Sequence[Window], vectors: Vectors) -> Vectors:
        """See Head."""
        meaning = self.network.logits(np.concatenate([vectors, places(vectors)], axis=1))
        wording = self.screen(windows)
        named = [weighed(self.concepts, concept_terms(window.text)) + self.intercepts[1] for window in windows]
        ideas, english = np.array(named, np.float32), np.array([is_english(window.text) for window in windows])
        columns = ((meaning + wording) / 2, np.where(english, ideas, UNLIKELY), np.where(english, UNLIKELY, ideas))
        result: Vectors = np.stack(columns, axis=1).astype(np.float32)
        return result


def weighed(weights: Vectors, terms: Numbers) -> float:
    """The weights of the terms, added, over the root of their number: a long window must not win by its length."""
    return float(weights[terms].sum() / np.sqrt(max(1, len(terms))))


def places(vectors: Vectors) -> Vectors:
    """How far each window lies from the mean of its text, and whether it begins or ends it (windows by 5)."""
    count = len(vectors)
    mean = vectors.mean(axis=0)
    rest = (mean * count - vectors) / max(1, count - 1)  # of the others: a window must not be near itself
    length = np.linalg.norm(rest, axis=1)
    near = (vectors * rest).sum(axis=1) / np.maximum(length, 1e-6) if count > 1 else np.ones(count)
    at = np.arange(count)
    columns = (near, near - np.median(near), at == 0, at == count - 1, np.full(count, min(count, 20) / 20))
    return np.stack([np.asarray(column, np.float32) for column in columns], axis=1)


def pooled(logits: Vectors) -> Vectors:
    """What a text's windows (windows) say together: the worst, the mean of the worst three, and the mean (3)."""
    ordered = np.sort(logits)[::-1]
    return np.array([ordered[0], ordered[:3].mean(), logits.mean()], np.float32)


WORD_TERMS = 1 << WORD_BITS
