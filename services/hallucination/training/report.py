"""What the head is worth: by source, within lengths, on twins, by character."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from services.hallucination.features import novel_mass
from services.hallucination.hallucination import Head, evidence, weighed_by
from services.hallucination.training.fitting import Floats, Seen, matrix

Report = dict[str, Any]


def measures(head: Head, found: Sequence[Seen]) -> Report:
    """How well the head, novel-word mass and length alone tell supported from unsupported."""
    labels = np.array([each.label for each in found])
    given = matrix(head, found)
    probability = np.array([head.probability(row) for row in given])
    lengths = np.array([len(each.example.response) for each in found])
    parts = [part for part in np.array_split(np.argsort(lengths, kind="stable"), 5) if 0 < labels[part].mean() < 1]
    by_length = [auroc(labels[part], probability[part]) for part in parts]
    return {
        "auroc": auroc(labels, probability),
        "auroc_novel_mass": auroc(labels, masses(head, found)),
        "auroc_length": auroc(labels, lengths),
        "auroc_by_length": by_length,
        "auroc_within_lengths": round(float(np.mean(by_length)), 3) if by_length else None,
        "average_precision": round(float(average_precision_score(labels, probability)), 3),
        "f1": round(float(f1_score(labels, probability >= 0.5)), 3),
        "flagged": round(float((probability >= 0.5).mean()), 3),
        "calibration_error": calibration_error(labels, probability),
        "examples": len(found),
        "bad": round(float(labels.mean()), 3),
    }


def twins(head: Head, found: Sequence[Seen]) -> Report:
    """Supported answers against their twins, by what was swapped; novel-word mass beside it."""
    kinds = np.array([each.example.kind for each in found])
    given = matrix(head, found)
    values = given @ (head.weights / head.scale)
    labels = np.array([each.label for each in found])
    mass = np.array(masses(head, found))
    result = {"all": _twins(labels, values, mass)}
    for kind in sorted(set(kinds)):
        own = kinds == kind
        result[kind] = _twins(labels[own], values[own], mass[own])
    return result


def _twins(labels: npt.NDArray[np.int64], values: Floats, mass: Floats) -> Report:
    return {"auroc": auroc(labels, values), "auroc_novel_mass": auroc(labels, mass), "examples": len(labels)}


def masses(head: Head, found: Sequence[Seen]) -> list[float]:
    """Novel-word mass of each response, the baseline."""
    return [novel_mass(weighed_by(head, each.judged, each.labels)) for each in found]


def spans(head: Head, found: Sequence[Seen]) -> Report:
    """Characters of the evidence against those that are wrong, over responses that are labelled or should be."""
    right = marked = wanted = 0
    for each, row in zip(found, matrix(head, found), strict=True):
        said = evidence(head, weighed_by(head, each.judged, each.labels)) if head.probability(row) >= 0.5 else ()
        told = {at for span in said for at in range(span.start, span.end)}
        true = {at for start, end in each.example.wrong for at in range(start, end)}
        right, marked, wanted = right + len(told & true), marked + len(told), wanted + len(true)
    precision, recall = right / max(marked, 1), right / max(wanted, 1)
    return {
        "character_precision": round(precision, 3),
        "character_recall": round(recall, 3),
        "character_f1": round(2 * precision * recall / max(precision + recall, 1e-9), 3),
    }


def screened(found: Sequence[Seen]) -> Report:
    """How much the model need not read."""
    sentences = sum(len(each.judged.claims) for each in found)
    read = sum(len(pair.claims) for each in found for pair in each.judged.read)
    passes = [len(each.judged.read) for each in found]
    return {"sentences_not_read": round(1 - read / max(sentences, 1), 3), "passes": round(float(np.mean(passes)), 2)}


def calibration_error(labels: npt.NDArray[np.int64], probability: Floats) -> float:
    """The expected calibration error over ten bins of equal count."""
    parts = np.array_split(np.argsort(probability, kind="stable"), 10)
    gaps = [len(part) * abs(labels[part].mean() - probability[part].mean()) for part in parts if len(part)]
    return round(float(sum(gaps) / len(labels)), 3)


def auroc(labels: Any, values: Any) -> float:
    """Rounded to three digits."""
    return round(float(roc_auc_score(labels, values)), 3)
