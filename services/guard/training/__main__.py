"""Train the tagger: `python -m services.guard.training DATA`; five minutes on one idle core."""

import argparse
import json
from pathlib import Path
from random import Random
from typing import Any

from services.guard import model
from services.guard.guard.tagger import Tagger, Weights
from services.guard.guard.tokens import key
from services.guard.training import examples, fitting, report
from services.guard.training.examples import Row
from services.guard.training.generation import Filler, Tagged, generated, recased, templates
from services.guard.training.people import People

SEED = 7
GENERATED, IN_PROSE = 24_000, 8_000
PARTS = 3


class Course:
    """What is learnt from but for the set of personal data, made once."""

    def __init__(self, data: Path) -> None:
        people = People(SEED)
        filler = Filler(people)
        written = examples.prose(data)
        named = {name: frozenset(map(key, words)) for name, words in people.lists().items()}
        self.lists = {**named, "everyday": frozenset(map(key, written.everyday))}
        self.vocabulary = fitting.Vocabulary(self.lists, SEED)
        made = [*generated(filler, GENERATED, templates()), *examples.in_prose(written, filler, IN_PROSE)]
        plain = [*examples.negatives(data, written), *examples.ordinary(data, self.lists, filler)]
        self.texts = [self.vocabulary.read(each) for each in made + plain]

    def weights(self, rows: list[Row]) -> Weights:
        """Learnt from `rows`, too: twice as they are, and a quarter of them in lower case."""
        tagged: list[Tagged] = [row.tagged for row in rows for _ in range(2)]
        tagged += [recased(row.tagged, 0.0) for row in rows[::4]]
        texts = self.texts + [self.vocabulary.read(each) for each in tagged]
        return fitting.weights(fitting.fit(texts, self.vocabulary, seed=SEED), self.lists)


def main() -> None:
    """Make texts, fit, write, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="directory with the data sets")
    parser.add_argument("--output", type=Path, default=model.TAGGER)
    parser.add_argument("--unseen", action="store_true", help="also measure on templates and sources left out")
    parser.add_argument("--only-measure", action="store_true", help="measure what is in `output`")
    arguments = parser.parse_args()
    rows = examples.personal(arguments.data)
    course = None if arguments.only_measure else Course(arguments.data)
    if course:
        model.save(course.weights(rows), arguments.output)
    measured = report.measured(Tagger(model.load(arguments.output)), arguments.data)
    print(json.dumps(measured, indent=1), flush=True)  # noqa: T201
    if course and arguments.unseen:
        print(json.dumps(unseen(course, rows), indent=1), flush=True)  # noqa: T201


def unseen(course: Course, rows: list[Row]) -> dict[str, Any]:
    """On the whole set when it is left out, and on templates that are left out, PARTS times."""
    found: dict[str, Any] = {"set left out": report.spans(Tagger(course.weights([])), rows)}
    outlines = sorted({row.template for row in rows})
    Random(SEED).shuffle(outlines)  # noqa: S311 - folds
    for part in range(PARTS):
        left = set(outlines[part::PARTS])
        tagger = Tagger(course.weights([row for row in rows if row.template not in left]))
        found[f"templates left out, {part + 1}"] = report.spans(tagger, [row for row in rows if row.template in left])
        print(json.dumps(found), flush=True)  # noqa: T201
    return found


if __name__ == "__main__":
    main()
