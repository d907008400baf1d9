"""What the heads are worth: by source, on sources that were left out, and on clean text."""

import importlib
import inspect
import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, roc_auc_score

from services.shared.counterfactual import swaps
from services.toxicity.toxicity import KINDS, METRICS, PROMPT, RESPONSE, ToxicityScorer
from services.toxicity.training.examples import Example
from services.toxicity.training.fitting import HEADS, labels

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Report = dict[str, Any]

DOCUMENTED = (
    "asyncio", "concurrent.futures", "logging", "multiprocessing", "os", "pty", "signal", "socket", "subprocess",
    "threading", "unittest.mock",
)  # fmt: skip


def by_source(found: Sequence[Example], logits: Floats, rows: Flags) -> Report:
    """Each source's `rows`; one that holds a single class is set against the clean ones among all rows."""
    known, sources = labels(found), np.array([example.source for example in found])
    result: Report = {}
    for column, kind in enumerate(HEADS):
        for source in sorted(set(sources[rows & (known[:, column] == 1)])):
            own = rows & (sources == source) & ~np.isnan(known[:, column])
            if (known[own, column] == 1).all():
                own = own | (rows & (known[:, : len(KINDS)] == 0).all(axis=1))
            if len(set(known[own, column])) == 2:
                result[f"{kind}/{source}"] = measured(known[own, column], logits[own, column])
    return result


def measured(truth: Floats, logits: Floats) -> dict[str, float]:
    """Ranking, and what is caught and falsely flagged at a probability of one half."""
    return {
        "auroc": round(float(roc_auc_score(truth, logits)), 3),
        "average_precision": round(float(average_precision_score(truth, logits)), 3),
        "caught": round(float((logits[truth == 1] >= 0).mean()), 3),
        "falsely_flagged": round(float((logits[truth == 0] >= 0).mean()), 4),
        "texts": len(truth),
    }


def clean(scorer: ToxicityScorer, calls: Sequence[Any]) -> Report:
    """The share of clean calls that are flagged, by metric, and by length for the two that stand over kinds."""
    flagged: dict[str, list[bool]] = defaultdict(list)
    for score in scorer.score(calls):
        flagged[score.metric].append(bool(score.label))
    lengths = {PROMPT.name: [len(call.question or "") for call in calls]}
    lengths[RESPONSE.name] = [len(call.answer or "") for call in calls]
    return {
        metric.name: quintiles(np.array(flagged[metric.name]), lengths[metric.name])
        if metric.name in lengths
        else round(float(np.mean(flagged[metric.name])), 4)
        for metric in METRICS
    }


def swapped(scorer: ToxicityScorer, texts: Sequence[str]) -> Report:
    """How often clean texts are flagged as they are, and with another group in the place of the one they name."""
    pairs = [(text, swap.text) for text in texts for swap in swaps(text, most=4)]
    before = np.array(scorer.probabilities([text for text, _ in pairs]))
    after = np.array(scorer.probabilities([text for _, text in pairs]))
    return {
        "flagged": round(float((before >= 0.5).mean()), 4),
        "flagged_swapped": round(float((after >= 0.5).mean()), 4),
        "mean_difference": round(float(np.abs(before - after).mean()), 4),
        "pairs": len(pairs),
    }


def quintiles(flags: Flags, lengths: Sequence[int]) -> dict[str, Any]:
    """The share of flags in all and in each fifth by length."""
    order = np.argsort(lengths, kind="stable")
    return {
        "all": round(float(flags.mean()), 4),
        "by_length": [round(float(flags[part].mean()), 4) for part in np.array_split(order, 5)],
        "texts": len(flags),
    }


def docstrings() -> list[str]:
    """Docstrings of modules that speak of killing, aborting and dummies."""
    modules = [importlib.import_module(name) for name in DOCUMENTED]
    names = [getattr(module, name) for module in modules for name in dir(module) if name[0] != "_"]
    found = {inspect.getdoc(thing) for thing in names if callable(thing)}
    return sorted(text for text in found if text and re.search(r"\w+ \w+ \w+", text))
