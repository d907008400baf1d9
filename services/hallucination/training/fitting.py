"""Fits the two regressions of the head: over words, and over responses."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from services.hallucination.features import FEATURES, features
from services.hallucination.hallucination import Head, Judged, Labels, Tagger, heard, labelled, prepared, weighed_by
from services.hallucination.signs import SIGNS
from services.hallucination.training.calls import as_call
from services.hallucination.training.composition import Labelled
from services.hallucination.training.examples import group
from services.hallucination.words import Rarity

Floats = npt.NDArray[np.float64]
BATCH = 64
STRENGTH = 0.01  # inverse of the regularisation: features that say the same share their weight


@dataclass(frozen=True)
class Seen:
    """An example, and what the model says of it."""

    example: Labelled
    judged: Judged
    labels: Labels

    @property
    def group(self) -> str:
        """The source as it is left out."""
        return group(self.example.source)

    @property
    def label(self) -> int:
        """1 where anything is wrong."""
        return self.example.label


def seen(found: Sequence[Labelled], tagger: Tagger, rarity: Rarity) -> list[Seen]:
    """The examples that can be judged, tagged."""
    result = []
    for start in range(0, len(found), BATCH):
        ready = [(each, prepared(as_call(each), rarity)) for each in found[start : start + BATCH]]
        kept = [(each, judged) for each, judged in ready if isinstance(judged, Judged)]
        tagged = labelled(tagger, [judged for _, judged in kept])
        result += [Seen(each, judged, labels) for (each, judged), labels in zip(kept, tagged, strict=True)]
    return result


def words(found: Seen) -> tuple[Floats, Floats]:
    """Log-odds and signs of every word (words by 1 + SIGNS), and whether each is wrong."""
    rows, wrong = [np.zeros((0, 1 + len(SIGNS)))], []
    for claim, signs, own in zip(
        found.judged.claims, found.judged.signs, heard(found.judged, found.labels), strict=True
    ):
        rows.append(np.column_stack([own, signs]))
        for word in claim.words:
            start, end = word.start + claim.sentence.start, word.end + claim.sentence.start
            wrong.append(any(start < stop and end > begin for begin, stop in found.example.wrong))
    return np.concatenate(rows), np.array(wrong, np.float64)


def fit(found: Sequence[Seen], rarity: Rarity) -> Head:
    """The head in which every source weighs the same, and its two classes too; words of judged responses aside."""
    by_word = [words(each) for each in found if each.example.kind != "judged"]
    rows, wrong = np.concatenate([each for each, _ in by_word]), np.concatenate([each for _, each in by_word])
    line = LogisticRegression(C=1.0, max_iter=2000).fit(rows, wrong)
    head = Head(
        word_slope=float(line.coef_[0][0]),
        word_intercept=float(line.intercept_[0]),
        lexical=line.coef_[0][1:],
        centre=np.zeros(len(FEATURES)),
        scale=np.ones(len(FEATURES)),
        weights=np.zeros(len(FEATURES)),
        intercept=0.0,
        word_threshold=best_threshold(line.decision_function(rows), wrong),
        rarity=rarity,
        version="unsaved",
    )
    return _with_responses(head, found)


def _with_responses(head: Head, found: Sequence[Seen]) -> Head:
    given = matrix(head, found)
    counts = Counter((each.group, each.label) for each in found)
    weights = np.array([1 / counts[each.group, each.label] for each in found])
    centre, scale = given.mean(axis=0), given.std(axis=0) + 1e-6
    labels = np.array([each.label for each in found], np.float64)
    line = monotone((given - centre) / scale, labels, weights * len(found) / weights.sum())
    return replace(head, centre=centre, scale=scale, weights=line[:-1], intercept=float(line[-1]))


def monotone(given: Floats, labels: Floats, counts: Floats) -> Floats:
    """Weights and intercept of a logistic regression in which no sign of risk lowers it.

    Unbounded, the weights fit how answers were composed and turn round on answers of another make.
    """
    bounds = [*[(0.0, None)] * given.shape[1], (None, None)]

    def loss(line: Floats) -> tuple[float, Floats]:
        odds = given @ line[:-1] + line[-1]
        error = counts * (1 / (1 + np.exp(-odds)) - labels)
        value = float((counts * (np.logaddexp(0, odds) - labels * odds)).sum()) + float(line[:-1] @ line[:-1]) / (
            2 * STRENGTH
        )
        return value, np.append(given.T @ error + line[:-1] / STRENGTH, error.sum())

    found: Floats = minimize(loss, np.zeros(given.shape[1] + 1), jac=True, bounds=bounds, method="L-BFGS-B").x
    return found


def matrix(head: Head, found: Sequence[Seen]) -> Floats:
    """The features (responses by FEATURES)."""
    return np.stack([features(weighed_by(head, each.judged, each.labels), each.judged.given) for each in found])


def shifted(head: Head, found: Sequence[Seen]) -> Head:
    """The head with the intercept at which 0.5 gives the best F1 on real answers: composed ones are bad too often."""
    given = ((matrix(head, found) - head.centre) / head.scale) @ head.weights
    return replace(head, intercept=-best_threshold(given, np.array([each.label for each in found])))


def best_threshold(values: Floats, labels: npt.NDArray[np.generic]) -> float:
    """The value from which on a label gives the best F1."""
    limits = np.quantile(values, np.linspace(0.02, 0.995, 120))
    return float(max(limits, key=lambda limit: float(f1_score(labels, values >= limit, zero_division=0))))
