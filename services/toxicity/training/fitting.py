"""A masked two-kind network, and its calibration."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import LogisticRegression

from services.toxicity.toxicity import Head
from services.toxicity.training.examples import Example

KINDS = ("abuse", "harmful_request")
HIDDEN, EPOCHS, BATCH, DROPOUT, RATE, DECAY = 128, 20, 256, 0.3, 2e-3, 1e-2
MOST_PER_SOURCE = 1500  # a source weighs no more than this many examples
PREVALENCE = 0.1  # of toxic text, that probabilities are calibrated for

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


def labels(found: Sequence[Example]) -> Floats:
    """What is known (examples by kinds), NaN where nothing is."""
    return np.array([(example.abuse, example.harmful_request) for example in found], np.float32)


def fit(found: Sequence[Example], vectors: Floats, *, held_out: Flags, seed: int) -> Head:
    """A head trained on what is not held out and calibrated on what is."""
    torch.manual_seed(seed)
    network = _train([example for example, out in zip(found, held_out, strict=True) if not out], vectors[~held_out])
    with torch.inference_mode():
        logits = network(torch.from_numpy(vectors[held_out])).numpy()
    known = labels(found)[held_out]
    lines = [_calibrated(logits[:, kind], known[:, kind]) for kind in range(len(KINDS))]
    first, last = network[0], network[3]
    return Head(
        kinds=KINDS,
        hidden=(_array(first.weight.T), _array(first.bias)),
        output=(_array(last.weight.T), _array(last.bias)),
        calibration=(
            np.array([slope for slope, _ in lines], np.float32),
            np.array([at for _, at in lines], np.float32),
        ),
        version="unsaved",
    )


def _train(found: Sequence[Example], vectors: Floats) -> Any:
    inputs, targets = torch.from_numpy(vectors), torch.from_numpy(labels(found))
    known, targets = ~targets.isnan(), targets.nan_to_num()
    counts = Counter(example.source for example in found)
    weights = torch.tensor([min(1.0, MOST_PER_SOURCE / counts[example.source]) for example in found])
    network = torch.nn.Sequential(
        torch.nn.Linear(vectors.shape[1], HIDDEN),
        torch.nn.GELU(approximate="tanh"),
        torch.nn.Dropout(DROPOUT),
        torch.nn.Linear(HIDDEN, len(KINDS)),
    )
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    steps = EPOCHS * -(-len(found) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for _ in range(EPOCHS):
        for batch in torch.split(torch.randperm(len(found)), BATCH):
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                network(inputs[batch]), targets[batch], reduction="none"
            )
            weighted = ((loss * known[batch]).sum(1) * weights[batch]).sum() / weights[batch].sum()
            optimiser.zero_grad()
            weighted.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    return network.eval()


def _calibrated(logits: Floats, known: Floats) -> tuple[float, float]:
    """Slope and intercept (Platt) that make probabilities right where one text in ten is toxic."""
    judged = ~np.isnan(known)
    truth = known[judged] > 0
    share = truth.mean()
    weights = np.where(truth, PREVALENCE / share, (1 - PREVALENCE) / (1 - share))
    line = LogisticRegression(C=1e6).fit(logits[judged][:, None], truth, sample_weight=weights)
    return float(line.coef_[0, 0]), float(line.intercept_[0])


def _array(tensor: torch.Tensor) -> Floats:
    result: Floats = tensor.detach().numpy().copy()
    return result
