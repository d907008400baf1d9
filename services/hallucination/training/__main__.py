"""Fit the head to the token classifier: `python -m services.hallucination.training DATA`; minutes on two cores."""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from services.hallucination import model
from services.hallucination.tagger import ADAPTER, ClassifierTagger
from services.hallucination.training import examples, fitting, report
from services.hallucination.training.fitting import Seen
from services.hallucination.words import Rarity, stems
from services.shared import classifier_store
from services.shared.classifier import Classifier, ClassifierOptions

SEED = 7
LEAST_DOCUMENTS = 4  # a stem of fewer documents is as rare as one of none


def main() -> None:
    """Count words, label tokens, fit, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="directory with the data sets")
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--adapter", type=Path, default=ADAPTER)
    parser.add_argument("--output", type=Path, default=model.BUILTIN)
    parser.add_argument("--report", type=Path, help="where the numbers go, as JSON")
    parser.add_argument("--most", type=int, default=2500, help="composed answers")
    arguments = parser.parse_args()
    classifier_store.convert("builtin", arguments.adapter, arguments.models)
    options = ClassifierOptions(
        adapter=arguments.adapter, models=arguments.models, device="cpu", threads=1, batch_tokens=2048
    )
    tagger = ClassifierTagger(Classifier.load(options))
    rarity = count(examples.contexts(arguments.data))
    found = fitting.seen(examples.read(arguments.data, seed=SEED, most=arguments.most), tagger, rarity)
    answers = fitting.seen(examples.answers(arguments.data), tagger, rarity)
    twins = fitting.seen(examples.twins(arguments.data, seed=SEED + 1, most=700), tagger, rarity)
    head = fitting.fit([each for each in found if each.group in examples.FITTED], rarity)
    head = fitting.shifted(head, answers[::2])
    model.save(head, arguments.output, adapter=tagger.weights_version)
    measured = {
        "unseen": by_source(found, rarity),
        "answers": report.measures(head, answers[1::2]),
        "twins": report.twins(head, twins),
        "spans": report.spans(head, [each for each in found if each.example.kind != "judged"]),
        "screened": report.screened([*answers, *found]),
    }
    print(json.dumps(measured, indent=1))  # noqa: T201
    if arguments.report:
        arguments.report.write_text(json.dumps(measured, indent=1))


def count(documents: Sequence[str]) -> Rarity:
    """How rare stems are among `documents`, to a tenth."""
    found = Counter(stem for document in documents for stem in stems(document))
    idf = {stem: round(float(np.log(len(documents) / n)), 1) for stem, n in found.items() if n >= LEAST_DOCUMENTS}
    return Rarity(idf, unseen=round(float(np.log(len(documents) / LEAST_DOCUMENTS)) + 0.7, 1))


def by_source(found: Sequence[Seen], rarity: Rarity) -> report.Report:
    """Each source by a head that was fitted without it (the token classifier has seen other documents of some)."""
    result = {}
    for source in sorted({each.group for each in found}):
        others = [each for each in found if each.group != source and each.group in examples.FITTED]
        result[source] = report.measures(fitting.fit(others, rarity), [each for each in found if each.group == source])
    return result


if __name__ == "__main__":
    main()
