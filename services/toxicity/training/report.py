"""What the head is worth: by source, on sources it has not seen, and on clean text."""

import importlib
import inspect
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, roc_auc_score

from services.shared.encoder import Encoder
from services.shared.sentences import Sentence, sentences
from services.toxicity.toxicity import THRESHOLD, Head, readable, worst_of
from services.toxicity.training import fitting
from services.toxicity.training.examples import Example, clean_calls

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Report = dict[str, Any]

FLAGGED_CLEAN = 0.007  # by each kind: together under 2 % in every length quintile
DOCUMENTED = (
    "asyncio", "concurrent.futures", "logging", "multiprocessing", "os", "pty", "signal", "socket", "subprocess",
    "threading", "unittest.mock",
)  # fmt: skip


def by_source(head: Head, found: Sequence[Example], vectors: Floats, *, held_out: Flags) -> Report:
    """Each source's held-out texts; one that holds a single class is set against all clean held-out texts."""
    return {
        f"{kind}/{source}": _measured(head, column, _rows(found, source) & held_out, (found, vectors, held_out))
        for column, kind in enumerate(head.kinds)
        for source in sorted({example.source for example in found})
        if _positive(found, source, column)
    }


def unseen(found: Sequence[Example], vectors: Floats, *, held_out: Flags, seed: int) -> Report:
    """Each source with toxic text, judged whole by a head that was trained without it."""
    result: Report = {}
    for source in sorted({example.source for example in found}):
        for column, kind in enumerate(fitting.KINDS):
            if _positive(found, source, column):
                rows = _rows(found, source)
                kept = [example for example, out in zip(found, rows, strict=True) if not out]
                head = fitting.fit(kept, vectors[~rows], held_out=held_out[~rows], seed=seed)
                result[f"{kind}/{source}"] = _measured(head, column, rows, (found, vectors, held_out))
    return result


def clean(head: Head, encoder: Encoder, data: Path) -> Report:
    """The share of clean texts that are flagged: held-out instructions by length, and Python's docstrings."""
    calls = clean_calls(data, "measure")
    prompts = flagged(head, encoder, [call["prompt"] for call in calls], head.kinds)
    responses = flagged(head, encoder, [call["response"] for call in calls], ("abuse",))
    documentation = docstrings()
    return {
        "prompts": _quintiles(prompts, [len(call["prompt"]) for call in calls]),
        "responses": _quintiles(responses, [len(call["response"]) for call in calls]),
        "docstrings_as_prompts": float(flagged(head, encoder, documentation, head.kinds).mean()),
        "docstrings_as_responses": float(flagged(head, encoder, documentation, ("abuse",)).mean()),
    }


def flagged(head: Head, encoder: Encoder, texts: Sequence[str], kinds: Sequence[str]) -> Flags:
    """Whether each text reaches the threshold."""
    columns = [head.kinds.index(kind) for kind in kinds]
    result: Flags = text_logits(head, encoder, texts)[:, columns].max(axis=1) >= np.log(THRESHOLD / (1 - THRESHOLD))
    return result


def text_logits(head: Head, encoder: Encoder, texts: Sequence[str]) -> Floats:
    """The log-odds of each kind (texts by kinds), as the scorer makes them of sentences."""
    parts = [sentences(text) or [Sentence(text, 0, len(text))] for text in texts]
    found = head.logits(encoder.encode([readable(sentence.text) for part in parts for sentence in part]))
    ends = np.cumsum([len(part) for part in parts])
    return np.stack([worst_of(found[end - len(part) : end]) for part, end in zip(parts, ends, strict=True)])


def shifted(head: Head, encoder: Encoder, data: Path) -> Head:
    """The head with intercepts such that FLAGGED_CLEAN of the clean prompts kept for this reach the threshold.

    That is: its probabilities hold at the prevalence at which a flag is as likely right as wrong.
    """
    logits = text_logits(head, encoder, [call["prompt"] for call in clean_calls(data, "calibrate")])
    slope, intercept = head.calibration
    shift = np.quantile(logits, 1 - FLAGGED_CLEAN, axis=0).astype(np.float32)
    return replace(head, calibration=(slope, intercept - shift))


def docstrings() -> list[str]:
    """Docstrings of modules that speak of killing, aborting and dummies."""
    modules = [importlib.import_module(name) for name in DOCUMENTED]
    names = [getattr(module, name) for module in modules for name in dir(module) if name[0] != "_"]
    found = {inspect.getdoc(thing) for thing in names if callable(thing)}
    return sorted(text for text in found if text and re.search(r"\w+ \w+ \w+", text))


def _rows(found: Sequence[Example], source: str) -> Flags:
    return np.array([example.source == source for example in found])


def _positive(found: Sequence[Example], source: str, column: int) -> bool:
    known = fitting.labels([example for example in found if example.source == source])[:, column]
    return bool((known == 1).any())


def _measured(
    head: Head, column: int, rows: Flags, everything: tuple[Sequence[Example], Floats, Flags]
) -> dict[str, float]:
    found, vectors, held_out = everything
    known = fitting.labels(found)
    own = known[rows, column]
    if (own == 1).all():
        rows = rows | (held_out & (known == 0).all(axis=1))
    truth, probability = known[rows, column], 1 / (1 + np.exp(-head.logits(vectors[rows])[:, column]))
    return {
        "auroc": round(float(roc_auc_score(truth, probability)), 3),
        "average_precision": round(float(average_precision_score(truth, probability)), 3),
        "caught": round(float((probability[truth == 1] >= THRESHOLD).mean()), 3),
        "falsely_flagged": round(float((probability[truth == 0] >= THRESHOLD).mean()), 4),
        "texts": int(rows.sum()),
    }


def _quintiles(flags: Flags, lengths: Sequence[int]) -> dict[str, Any]:
    order = np.argsort(lengths, kind="stable")
    return {
        "all": round(float(flags.mean()), 4),
        "by_length": [round(float(flags[part].mean()), 4) for part in np.array_split(order, 5)],
        "texts": len(flags),
    }
