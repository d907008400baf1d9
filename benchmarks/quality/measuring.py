"""One source measured: the scorer and the baselines beside it, on the same rows."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from benchmarks.quality import baselines, measures
from benchmarks.quality.measures import Floats, Labels
from benchmarks.quality.rows import Source
from benchmarks.quality.scored import Scored

Report = dict[str, Any]


def measured(
    source: Source, others: Iterable[Source], scored: Scored, peers: Mapping[str, Mapping[str, float]]
) -> Report:
    """What the report tells of `source`; `peers` gives each peer's value of a text."""
    scores = scored.of(source.rows, source.metric)
    judged = [at for at, score in enumerate(scores) if score["status"] == "scored"]
    rows = [source.rows[at] for at in judged]
    values = np.array([scores[at]["value"] for at in judged], np.float64)
    flags = np.array([bool(scores[at]["label"]) for at in judged], np.bool_)
    labels = np.array([row.label for row in rows], np.int64)
    parts = measures.length_quintiles([len(row.text) for row in rows])
    found: Report = {
        "name": source.name, "metric": source.metric, "standing": source.standing, "note": source.note,
        "rows": len(rows), "bad": int(labels.sum()), "not_scored": len(scores) - len(rows),
        "flagged_good": measures.share(flags[labels == 0]), "flagged_bad": measures.share(flags[labels == 1]),
        "by_length": [
            {"longest": max((len(rows[at].text) for at in part), default=0),
             "auroc": measures.auroc(labels[part], values[part]),
             "flagged_good": measures.share(flags[part][labels[part] == 0])}
            for part in parts
        ],
        "slices": measures.by_slice([row.slices for row in rows], labels, values, flags),
        "pairs": measures.pairs_ranked([row.pair for row in rows], labels, values),
    }  # fmt: skip
    if len(set(labels.tolist())) == 2:
        kept = Source(source.name, source.metric, source.standing, rows, baseline=source.baseline, words=source.words)
        found |= (
            ranking(labels, values)
            | {"f1": measures.f1(labels, flags)}
            | {"auroc_within_lengths": measures.mean_within(parts, labels, values)}
        )
        if scored.metrics[source.metric].unit == "probability":
            found |= calibration(labels, values)
        found["baselines"] = {
            name: {
                "auroc": measures.auroc(labels, theirs),
                "average_precision": measures.average_precision(labels, theirs),
                "auroc_within_lengths": measures.mean_within(parts, labels, theirs),
                "auroc_by_length": [measures.auroc(labels[part], theirs[part]) for part in parts],
            }
            for name, theirs in beside(kept, others, peers).items()
        }
    return found


def ranking(labels: Labels, values: Floats) -> Report:
    """Of rows of both classes."""
    area = measures.auroc(labels, values) or 0.0
    bad = int(labels.sum())
    return {
        "auroc": area,
        "auroc_error": measures.auroc_error(area, bad, len(labels) - bad),
        "average_precision": measures.average_precision(labels, values),
        "roc": measures.roc(labels, values),
    }


def calibration(labels: Labels, values: Floats) -> Report:
    """Of probabilities."""
    return {
        "calibration_error": measures.calibration_error(labels, values),
        "calibration_curve": measures.calibration_curve(labels, values),
    }


def beside(source: Source, others: Iterable[Source], peers: Mapping[str, Mapping[str, float]]) -> dict[str, Floats]:
    """The values of every baseline and peer that can judge the rows."""
    found = {"length": baselines.lengths(source.rows)}
    if source.words and (by_words := baselines.by_words(source, others)) is not None:
        found["TF-IDF of other sources"] = by_words
    if source.baseline:
        found[source.baseline.name] = np.array([source.baseline.value(row) for row in source.rows])
    for name, known in peers.items():
        if all(row.text in known for row in source.rows):
            found[name] = np.array([known[row.text] for row in source.rows])
    return found
