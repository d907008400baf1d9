"""Personal data as spans: precision, recall and F1 by kind, and false spans in clean text."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.quality.rows import Row, distinct, read, some
from benchmarks.quality.scored import Scored
from benchmarks.quality.sets import personal_data
from benchmarks.quality.sets.personal_data import KINDS, Span, Tagged
from services.guard.training import examples
from services.guard.training.report import compare, rates

METRIC = "prompt_pii"
NAMED = ("PERSON", "ADDRESS")
Counts = Counter[tuple[str, str]]


def measured(scored: Scored, data: Path, most: int) -> dict[str, Any]:
    """Each source of labelled spans, and false spans in 1,000 words of clean texts, names and addresses aside."""
    labelled = [
        {"name": name, "standing": standing, **judged(found(scored, some(texts, most)))}
        for name, standing, texts in personal_data.sources(data)
    ]
    clean = {
        "code, modules not learnt from": list(examples.code(examples.HELD_OUT_MODULES)),
        "answers of models": distinct([row["response"] for row in read(data, "model_versions")]),
        "short requests": [row["text"] for row in read(data, "drift_topic")[5::10]],
    }
    return {
        "labelled": labelled,
        "clean": [false_spans(scored, name, some(texts, most)) for name, texts in clean.items()],
    }


def found(scored: Scored, texts: Sequence[Tagged]) -> Iterable[tuple[list[Span], list[Span]]]:
    """What is found and what is there, of the kinds that count."""
    scores = scored.of([Row({"prompt": each.text}, each.text, 0) for each in texts], METRIC)
    for each, score in zip(texts, scores, strict=True):
        said = [(start, end, kind) for start, end, kind in score["evidence"] if kind in KINDS]
        yield said, [span for span in each.spans if span[2] in KINDS]


def judged(pairs: Iterable[tuple[list[Span], list[Span]]]) -> dict[str, Any]:
    """Rates by kind and over all of them (micro)."""
    counts: Counts = Counter()
    texts = 0
    for said, true in pairs:
        compare(said, true, counts)
        texts += 1
    every = [sum(counts[kind, what] for kind in KINDS) for what in ("hit", "missed", "extra")]
    kinds = {kind: rates(*(counts[kind, what] for what in ("hit", "missed", "extra"))) for kind in KINDS}
    return {"rows": texts, "all": rates(*every), "kinds": kinds}


def false_spans(scored: Scored, name: str, texts: Sequence[str]) -> dict[str, Any]:
    """Spans in 1,000 words; names and addresses apart, since some are true."""
    scores = scored.of([Row({"prompt": text}, text, 0) for text in texts], METRIC)
    kinds = Counter(kind for score in scores for _, _, kind in score["evidence"])
    words = sum(len(text.split()) for text in texts)
    other = sum(count for kind, count in kinds.items() if kind not in NAMED)
    named = {kind: round(1000 * kinds[kind] / words, 2) for kind in NAMED}
    return {"name": name, "rows": len(texts), "words": words, "other": round(1000 * other / words, 2), **named}
