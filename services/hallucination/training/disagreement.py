"""Train what tells a contradiction from a paraphrase: `python -m services.hallucination.training.disagreement DATA`."""

import argparse
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from services.hallucination import app, model
from services.hallucination.config import Config
from services.hallucination.consistency import SIGNS, Disagreement, Floats, matrix
from services.hallucination.training.composition import measures, standing
from services.hallucination.training.corruption import twisted
from services.hallucination.training.report import auroc
from services.hallucination.training.rewording import reworded
from services.shared.encoder import Encoder
from services.shared.training_rows import rows

SEED = 7
MOST = 400  # pairs of a source


@dataclass(frozen=True)
class Pair:
    """Two texts, and 1 where they contradict each other."""

    one: str
    other: str
    label: int
    source: str


def read(data: Path) -> list[Pair]:
    """Summaries and their harmless or bad edits; sentences reworded or twisted; of documents that measure."""
    choose = random.Random(SEED)  # noqa: S311 - reproducible, not secret
    edited = [
        Pair(row["original"], row["response"], int(row["label"]), "summedits")
        for row in rows(data, "grounded_edits")
        if row["original"] != row["response"] and measures(row["context"])
    ]
    made = list(_made(data, choose))
    return choose.sample(edited, min(MOST, len(edited))) + choose.sample(made, min(MOST, len(made)))


def _made(data: Path, choose: random.Random) -> Iterator[Pair]:
    documents = {row["context"] for name in ("grounded_long", "grounded_edits") for row in rows(data, name)}
    for context in sorted(documents):
        parts = standing(context) if measures(context) else ()
        for part in choose.sample(parts, min(3, len(parts))):
            same = reworded(part, choose)
            if same != part:
                yield Pair(part, same, 0, "sentences")
            if wrong := twisted(same, context, choose):
                yield Pair(part, wrong.text, 1, "sentences")


def main() -> None:
    """Make signs, fit, measure each source by the other, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="directory with the data sets")
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--output", type=Path, default=model.CONSISTENCY)
    arguments = parser.parse_args()
    config = Config(models=arguments.models)
    encoder, (tagger, head) = Encoder.load(config.encoder), app.groundedness(config.classifier, config.head)
    found = read(arguments.data)
    given = np.stack(matrix([(pair.one, pair.other) for pair in found], encoder, tagger, head))
    labels = np.array([pair.label for pair in found])
    sources = np.array([pair.source for pair in found])
    report: dict[str, dict[str, float]] = {}
    for source in sorted(set(sources)):
        own = sources == source
        line = fit(given[~own], labels[~own])
        probability = [line.probability(row) for row in given[own]]
        report[source] = {
            "auroc": auroc(labels[own], probability),
            "auroc_distance": auroc(labels[own], given[own, 0]),
            "pairs": int(own.sum()),
        }
    model.save_disagreement(fit(given, labels), arguments.output)
    report["each"] = {name: auroc(labels, given[:, at]) for at, name in enumerate(SIGNS)}
    print(json.dumps(report, indent=1))  # noqa: T201


def fit(given: Floats, labels: Floats) -> Disagreement:
    """A logistic regression in which both classes weigh the same."""
    line = LogisticRegression(C=1.0, max_iter=1000, class_weight="balanced").fit(given, labels)
    return Disagreement(line.coef_[0], float(line.intercept_[0]))


if __name__ == "__main__":
    main()
