"""A masked network of all heads over sentence vectors, and its calibration."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import LogisticRegression

from services.toxicity.bias import SIGNS
from services.toxicity.toxicity import KINDS
from services.toxicity.training.examples import Example

HEADS = (*KINDS, *SIGNS)
HIDDEN, EPOCHS, BATCH, DROPOUT, RATE, DECAY = 128, 16, 256, 0.3, 2e-3, 1e-2
MOST_PER_SOURCE = 1500  # a source weighs no more than this many examples
PREVALENCE = 0.1  # of the bad class, that probabilities are calibrated for; signs of bias hold at one half

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Network:
    """A layer with GELU (outputs by inputs, bias) and an output (heads by hidden, bias), and the calibration."""

    hidden: tuple[Floats, Floats]
    output: tuple[Floats, Floats]
    slope: Floats
    intercept: Floats

    def raw(self, vectors: Floats) -> Floats:
        """Log-odds (texts by heads) before the calibration."""
        states = vectors @ self.hidden[0].T + self.hidden[1]
        active = 0.5 * states * (1 + np.tanh(0.7978845608 * (states + 0.044715 * states**3)))
        result: Floats = active @ self.output[0].T + self.output[1]
        return result

    def logits(self, vectors: Floats) -> Floats:
        """Calibrated log-odds (texts by heads)."""
        result: Floats = self.raw(vectors) * self.slope + self.intercept
        return result


def labels(found: Sequence[Example]) -> Floats:
    """What is known (examples by heads), NaN where nothing is."""
    return np.array([[example.labels.get(head, np.nan) for head in HEADS] for example in found], np.float32)


def fit(found: Sequence[Example], vectors: Floats, *, held_out: Flags, seed: int) -> Network:
    """A network trained on what is not held out and calibrated on what is."""
    torch.manual_seed(seed)
    mean = vectors[~held_out].mean(0)
    deviation = np.maximum(vectors[~held_out].std(0), 1e-2)  # three dimensions of MiniLM are always 0
    kept = [example for example, out in zip(found, held_out, strict=True) if not out]
    module = _train(kept, (vectors[~held_out] - mean) / deviation)
    first, last = (layer for layer in module if isinstance(layer, torch.nn.Linear))
    weight = _array(first.weight) / deviation
    network = Network(
        hidden=(weight, _array(first.bias) - weight @ mean),
        output=(_array(last.weight), _array(last.bias)),
        slope=np.ones(len(HEADS), np.float32),
        intercept=np.zeros(len(HEADS), np.float32),
    )
    raw, known = network.raw(vectors[held_out]), labels(found)[held_out]
    lines = [_calibrated(raw[:, column], known[:, column], name) for column, name in enumerate(HEADS)]
    slope, intercept = (np.array(each, np.float32) for each in zip(*lines, strict=True))
    return Network(network.hidden, network.output, slope, intercept)


def weights(found: Sequence[Example]) -> Floats:
    """What each example counts: no source more than MOST_PER_SOURCE of them."""
    counts = Counter(example.source for example in found)
    return np.array([min(1.0, MOST_PER_SOURCE / counts[example.source]) for example in found], np.float32)


def _train(found: Sequence[Example], vectors: Floats) -> torch.nn.Sequential:
    inputs, targets = torch.from_numpy(vectors), torch.from_numpy(labels(found))
    known, targets = ~targets.isnan(), targets.nan_to_num()
    counted = torch.from_numpy(weights(found))
    network = torch.nn.Sequential(
        torch.nn.Dropout(0.1),
        torch.nn.Linear(vectors.shape[1], HIDDEN),
        torch.nn.GELU(approximate="tanh"),
        torch.nn.Dropout(DROPOUT),
        torch.nn.Linear(HIDDEN, len(HEADS)),
    )
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    steps = EPOCHS * -(-len(found) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for _ in range(EPOCHS):
        for batch in torch.split(torch.randperm(len(found)), BATCH):
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                network(inputs[batch]), targets[batch], reduction="none"
            )
            weighted = ((loss * known[batch]).sum(1) * counted[batch]).sum() / counted[batch].sum()
            optimiser.zero_grad()
            weighted.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    return network.eval()


def _calibrated(raw: Floats, known: Floats, name: str) -> tuple[float, float]:
    """Slope and intercept (Platt) that make probabilities right where one text in ten is of the kind."""
    judged = ~np.isnan(known)
    truth = known[judged] > 0
    share, wanted = truth.mean(), PREVALENCE if name in KINDS else 0.5
    counted = np.where(truth, wanted / share, (1 - wanted) / (1 - share))
    line = LogisticRegression(C=1e6).fit(raw[judged][:, None], truth, sample_weight=counted)
    return float(line.coef_[0, 0]), float(line.intercept_[0])


def _array(tensor: torch.Tensor) -> Floats:
    result: Floats = tensor.detach().numpy().copy()
    return result
