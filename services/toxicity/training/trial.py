"""How far the encoder is changed: what heads are worth on sources that neither they nor the adapter have seen."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from services.toxicity.toxicity import KINDS
from services.toxicity.training import fitting, report
from services.toxicity.training.examples import Example

STRENGTHS = (0.0, 0.5, 1.0)  # 0 is the encoder as it was, 1 as it was trained
Floats = npt.NDArray[np.float32]


def measured(found: Sequence[Example], vectors: Floats, *, unseen: Sequence[str], seed: int) -> dict[str, Any]:
    """AUROC on each source of `unseen`, which heads trained on the others judge; their mean over kinds."""
    away = np.array([example.source in unseen for example in found])
    held_out = np.array([example.held_out for example in found])
    kept = [example for example, out in zip(found, away, strict=True) if not out]
    logits = fitting.fit(kept, vectors[~away], held_out=held_out[~away], seed=seed).logits(vectors)
    # Beside the sources left out, clean held-out text of the others: what a source with one class is set against.
    judged = report.by_source(found, logits, away | (held_out & _clean(found)))
    scores = {name: each["auroc"] for name, each in judged.items() if name.partition("/")[2] in unseen}
    inside = {name: each["auroc"] for name, each in report.by_source(found, logits, held_out & ~away).items()}
    mean = float(np.mean([auroc for name, auroc in scores.items() if name.partition("/")[0] in KINDS]))
    return {"mean": round(mean, 4), "unseen": scores, "seen": inside}


def _clean(found: Sequence[Example]) -> npt.NDArray[np.bool_]:
    result: npt.NDArray[np.bool_] = (fitting.labels(found)[:, : len(KINDS)] == 0).all(axis=1)
    return result
