"""Responses and their contexts: answers of models, edits, long answers, twins."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.quality.baselines import novel_words
from benchmarks.quality.rows import SEED, Row, Source, distinct, read
from services.hallucination.training import examples
from services.hallucination.training.composition import measures

METRIC = "hallucination"
TWINS = 1000
EDITS = "documents that the token classifier has not seen; the head over it was fitted on the like"


def sources(data: Path) -> Iterator[Source]:
    """Every source, with novel-word mass beside it."""
    judged, answers = read(data, "hallucination"), read(data, "rag_human")
    edits, long = read(data, "grounded_edits"), read(data, "grounded_long")
    mass = novel_words(distinct([row["context"] for row in (*judged, *answers, *edits, *long)]))
    found = (
        Source("MTRAG answers of models", METRIC, "held out", [_row(row) for row in answers[1::2]],
               "the other half sets the threshold; features were chosen with all of them in sight"),
        Source("HaluEval QA", METRIC, "unseen", [_row(row) for row in judged if row["source"] == "halueval_qa"],
               "the length of an answer gives its label away"),
        Source("BEGIN", METRIC, "seen", [_row(row) for row in judged if row["source"] == "begin_wow"],
               "a sample of 600 of its 4,024 rows fitted the head; which ones is not recorded"),
        Source("SummEdits", METRIC, "seen", [_row(row) for row in edits if measures(row["context"])], EDITS),
        Source("ClapNQ, all supported", METRIC, "seen", [_row(row | {"label": 0}) for row in long
               if measures(row["context"])], EDITS),
        Source("twins in the context's words", METRIC, "seen", list(_twins(data)), EDITS),
    )  # fmt: skip
    for source in found:
        yield replace(source, baseline=mass)


def _row(row: dict[str, Any]) -> Row:
    call = {"prompt": row["prompt"], "context": [row["context"]], "response": row["response"]}
    slices = {name: str(row[name]) for name in ("model", "domain") if row.get(name)}
    return Row(call, row["response"], int(row["label"]), slices)


def _twins(data: Path) -> Iterator[Row]:
    """Supported answers and the same with a name, number or role of the context swapped, or a denial."""
    for number, each in enumerate(examples.twins(data, seed=SEED + 1, most=TWINS)):
        call = {"prompt": each.prompt, "context": [each.context], "response": each.response}
        yield Row(call, each.response, each.label, {"twist": each.kind}, str(number // 2))
