"""Train the head: `python -m services.hallucination.training DATA`; about five minutes on two cores."""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from services.hallucination import model
from services.hallucination.hallucination import Head, Judged, features, prepared, similarities
from services.hallucination.training import examples
from services.hallucination.training.calls import as_call
from services.hallucination.words import Rarity, stems
from services.shared.encoder import Encoder, EncoderOptions

SEED = 7
LEAST_DOCUMENTS = 4  # a stem of fewer documents is as rare as one of none
Floats = npt.NDArray[np.float64]


def main() -> None:
    """Count words, make features, fit, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="directory with the data sets")
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--output", type=Path, default=model.BUILTIN)
    arguments = parser.parse_args()
    encoder = Encoder.load(EncoderOptions(models=arguments.models, threads=2, cache_entries=200_000))
    rarity = count(examples.contexts(arguments.data))
    found = judgeable(examples.read(arguments.data, encoder, seed=SEED))
    judged = judgeable(examples.measured(arguments.data))
    tuning, measuring = judged[::2], judged[1::2]
    given = matrix(found, encoder, rarity)
    trained = np.array([example.source not in examples.MEASURED_ONLY for example in found])
    head = fit([each for each, use in zip(found, trained, strict=True) if use], given[trained], rarity)
    head = shifted(head, [example.label for example in tuning], matrix(tuning, encoder, rarity))
    model.save(head, arguments.output, encoder_version=encoder.version)
    measured = by_source(found, given, trained, rarity)
    measured["rag_human"] = measures(head, measuring, matrix(measuring, encoder, rarity))
    print(json.dumps(measured, indent=1))  # noqa: T201


def count(documents: Sequence[str]) -> Rarity:
    """How rare stems are among `documents`, to a tenth."""
    found = Counter(stem for document in documents for stem in stems(document))
    idf = {stem: round(float(np.log(len(documents) / n)), 1) for stem, n in found.items() if n >= LEAST_DOCUMENTS}
    return Rarity(idf, unseen=round(float(np.log(len(documents) / LEAST_DOCUMENTS)) + 0.7, 1))


def judgeable(found: Sequence[examples.Example]) -> list[examples.Example]:
    """The examples that hold a sentence and a context."""
    return [example for example in found if isinstance(prepared(as_call(example)), Judged)]


def matrix(found: Sequence[examples.Example], encoder: Encoder, rarity: Rarity) -> Floats:
    """The features (examples by FEATURES)."""
    judged = [each for example in found if isinstance(each := prepared(as_call(example)), Judged)]
    return np.stack([
        features(each.parts, each.known, similarity, rarity)
        for each, similarity in zip(judged, similarities(encoder, judged), strict=True)
    ])  # fmt: skip


def fit(found: Sequence[examples.Example], given: Floats, rarity: Rarity) -> Head:
    """A logistic regression in which every source weighs the same, and its two classes too."""
    counts = Counter((example.source, example.label) for example in found)
    weights = np.array([1 / counts[example.source, example.label] for example in found])
    centre, scale = given.mean(axis=0), given.std(axis=0) + 1e-6
    labels = [example.label for example in found]
    line = LogisticRegression(C=0.3, max_iter=1000)
    line.fit((given - centre) / scale, labels, sample_weight=weights * len(found) / weights.sum())
    return Head(centre, scale, line.coef_[0], float(line.intercept_[0]), rarity, "unsaved")


def shifted(head: Head, labels: Sequence[int], given: Floats) -> Head:
    """The head with the intercept at which 0.5 gives the best F1 on real answers: corrupted ones are bad too often."""
    best = max(np.sort(_logits(head, given)), key=lambda limit: float(f1_score(labels, _logits(head, given) >= limit)))
    return replace(head, intercept=-float(best))


def _logits(head: Head, given: Floats) -> Floats:
    logits: Floats = ((given - head.centre) / head.scale) @ head.weights
    return logits


def by_source(
    found: Sequence[examples.Example], given: Floats, trained: npt.NDArray[np.bool_], rarity: Rarity
) -> dict[str, Any]:
    """Each source by a head that was fitted without it (at the untuned threshold)."""
    result = {}
    for source in sorted({example.source for example in found}):
        own = np.array([example.source == source for example in found])
        others = ~own & trained
        head = fit([each for each, use in zip(found, others, strict=True) if use], given[others], rarity)
        result[source] = measures(head, [each for each, use in zip(found, own, strict=True) if use], given[own])
    return result


def measures(head: Head, found: Sequence[examples.Example], given: Floats) -> dict[str, Any]:
    """How well the head, and the share of novel words alone, tell supported from unsupported."""
    labels = np.array([example.label for example in found])
    probability = np.array([head.probability(row) for row in given])
    order = np.argsort([len(example.response) for example in found], kind="stable")
    quintiles = [part for part in np.array_split(order, 5) if 0 < labels[part].mean() < 1]
    return {
        "auroc": round(float(roc_auc_score(labels, probability)), 3),
        "auroc_novel_share": round(float(roc_auc_score(labels, given[:, 0])), 3),
        "auroc_by_length": [round(float(roc_auc_score(labels[part], probability[part])), 2) for part in quintiles],
        "average_precision": round(float(average_precision_score(labels, probability)), 3),
        "f1": round(float(f1_score(labels, probability >= 0.5)), 3),
        "flagged": round(float((probability >= 0.5).mean()), 3),
        "examples": len(found),
    }


if __name__ == "__main__":
    main()
