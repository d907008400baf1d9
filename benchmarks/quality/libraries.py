"""BLEU, chrF and ROUGE against the libraries that define them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from benchmarks.quality.rows import Row, read, some
from benchmarks.quality.scored import Scored

Compare = Callable[[str, str], float]


def measured(scored: Scored, data: Path, most: int) -> list[dict[str, Any]]:
    """The largest absolute difference of each metric on each source; a metric counts in its own unit."""
    references = read(data, "references")
    found = {
        "model_versions": [(row["response"], row["reference"]) for row in read(data, "model_versions")],
        "WMT23 en-de": [(row["hyp"], row["ref"]) for row in references if row["pair"] == "en-de"],
        "WMT23 zh-en": [(row["hyp"], row["ref"]) for row in references if row["pair"] == "zh-en"],
    }
    return [
        {"name": name, "metric": metric, **differences(scored, metric, compare, some(pairs, most))}
        for name, pairs in found.items()
        for metric, compare in libraries().items()
    ]


def differences(scored: Scored, metric: str, compare: Compare, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Over rows that are scored."""
    rows = [Row({"response": said, "reference": wanted}, said, 0) for said, wanted in pairs]
    scores = [score["value"] for score in scored.of(rows, metric)]
    known = [compare(said, wanted) for said, wanted in pairs]
    apart = [abs(ours - theirs) for ours, theirs in zip(scores, known, strict=True) if ours is not None]
    return {"rows": len(apart), "not_scored": len(rows) - len(apart), "largest_difference": max(apart, default=None)}


def libraries() -> Mapping[str, Compare]:
    """What each metric should say of a response and a reference."""
    bleu, chrf = BLEU(effective_order=True), CHRF()
    rouge = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=False)
    return {
        "bleu": lambda said, wanted: bleu.sentence_score(said, [wanted]).score,
        "chrf": lambda said, wanted: chrf.sentence_score(said, [wanted]).score,
        "rouge_1": lambda said, wanted: rouge.score(wanted, said)["rouge1"].fmeasure,
        "rouge_2": lambda said, wanted: rouge.score(wanted, said)["rouge2"].fmeasure,
        "rouge_l": lambda said, wanted: rouge.score(wanted, said)["rougeL"].fmeasure,
    }
