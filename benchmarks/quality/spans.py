"""Personal data as spans: precision, recall and F1 by kind, and false spans in clean text."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.quality import peers
from benchmarks.quality.rows import Row, distinct, read, some
from benchmarks.quality.scored import Scored
from benchmarks.quality.sets import personal_data
from benchmarks.quality.sets.personal_data import KINDS, Span, Tagged
from services.guard.training import examples
from services.guard.training.report import compare, rates

METRIC = "prompt_pii"
NAMED = ("PERSON", "ADDRESS")
Counts = Counter[tuple[str, str]]


def measured(scored: Scored, data: Path, most: int, *, with_peers: bool) -> dict[str, Any]:
    """Each source of labelled spans, and false spans in 1,000 words of clean texts, names and addresses aside."""
    labelled = []
    for name, standing, texts in personal_data.sources(data):
        kept = some(texts, most)
        told = {"name": name, "standing": standing, **judged(found(scored, kept), kept)}
        if with_peers and (theirs := peers.spans([each.text for each in kept])):
            told["peer"] = {"name": theirs.name, "model": theirs.model, **judged(theirs.spans, kept)}
        labelled.append(told)
    clean = {
        "code, modules not learnt from": list(examples.code(examples.HELD_OUT_MODULES)),
        "answers of models": distinct([row["response"] for row in read(data, "model_versions")]),
        "short requests": [row["text"] for row in read(data, "drift_topic")[5::10]],
    }
    return {
        "labelled": labelled,
        "clean": [false_spans(scored, name, some(texts, most)) for name, texts in clean.items()],
    }


def found(scored: Scored, texts: Sequence[Tagged]) -> Iterable[list[Span]]:
    """What is found."""
    scores = scored.of([Row({"prompt": each.text}, each.text, 0) for each in texts], METRIC)
    return [[(start, end, kind) for start, end, kind in score["evidence"]] for score in scores]


def judged(said: Iterable[Sequence[Span]], texts: Sequence[Tagged]) -> dict[str, Any]:
    """Rates by kind, over all (micro), and over those that have a form of their own: no names, no addresses."""
    counts: Counts = Counter()
    for spans, each in zip(said, texts, strict=True):
        compare(_counted(spans), _counted(each.spans), counts)

    def over(kinds: Iterable[str]) -> dict[str, Any]:
        return rates(*(sum(counts[kind, what] for kind in kinds) for what in ("hit", "missed", "extra")))

    formed = [kind for kind in KINDS if kind not in NAMED]
    return {
        "rows": len(texts), "all": over(KINDS), "formed": over(formed), "kinds": {kind: over([kind]) for kind in KINDS}
    }  # fmt: skip


def _counted(spans: Iterable[Span]) -> list[Span]:
    return [span for span in spans if span[2] in KINDS]


def false_spans(scored: Scored, name: str, texts: Sequence[str]) -> dict[str, Any]:
    """Spans in 1,000 words; names and addresses apart, since some are true."""
    scores = scored.of([Row({"prompt": text}, text, 0) for text in texts], METRIC)
    kinds = Counter(kind for score in scores for _, _, kind in score["evidence"])
    words = sum(len(text.split()) for text in texts)
    other = sum(count for kind, count in kinds.items() if kind not in NAMED)
    named = {kind: round(1000 * kinds[kind] / words, 2) for kind in NAMED}
    return {"name": name, "rows": len(texts), "words": words, "other": round(1000 * other / words, 2), **named}
