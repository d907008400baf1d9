"""Masked networks of all heads over sentence vectors, joined to one, and its calibration."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import LogisticRegression

from services.toxicity.bias import SIGNS
from services.toxicity.toxicity import KINDS
from services.toxicity.training.examples import Example

HEADS = (*KINDS, *SIGNS)
HIDDEN, EPOCHS, BATCH, DROPOUT, RATE, DECAY = 128, 16, 256, 0.3, 2e-3, 1e-2
MEMBERS = 3  # networks side by side: what one of them catches at the threshold is a matter of its seed
MOST_PER_SOURCE = 1500  # a source weighs no more than this many examples
PREVALENCE = 0.1  # of the bad class, that probabilities are calibrated for; signs of bias hold at one half

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Network:
    """A layer with GELU (outputs by inputs, bias), an output (heads by hidden, bias), and the calibration."""

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
    """The mean of MEMBERS networks trained on what is not held out, calibrated on what is."""
    kept = [example for example, out in zip(found, held_out, strict=True) if not out]
    network = _joined([_trained(kept, vectors[~held_out], seed + member) for member in range(MEMBERS)])
    raw, known = network.raw(vectors[held_out]), labels(found)[held_out]
    lines = [_calibrated(raw[:, column], known[:, column], name) for column, name in enumerate(HEADS)]
    slope, intercept = (np.array(each, np.float32) for each in zip(*lines, strict=True))
    return replace(network, slope=slope, intercept=intercept)


def weights(found: Sequence[Example]) -> Floats:
    """What each example counts: no source more than MOST_PER_SOURCE of them."""
    counts = Counter(example.source for example in found)
    return np.array([min(1.0, MOST_PER_SOURCE / counts[example.source]) for example in found], np.float32)


def _joined(networks: Sequence[Network]) -> Network:
    """One network that says the mean of what `networks` say: their hidden layers side by side."""
    inner, inner_bias = zip(*(each.hidden for each in networks), strict=True)
    outer, outer_bias = zip(*(each.output for each in networks), strict=True)
    return replace(
        networks[0],
        hidden=(np.concatenate(inner), np.concatenate(inner_bias)),
        output=(np.concatenate(outer, axis=1) / len(networks), np.mean(outer_bias, axis=0)),
    )


def _trained(found: Sequence[Example], vectors: Floats, seed: int) -> Network:
    """A network over vectors as they come, not yet calibrated."""
    torch.manual_seed(seed)
    mean = vectors.mean(0)
    deviation = np.maximum(vectors.std(0), 1e-2)  # three dimensions of MiniLM are always 0
    module = _optimised(found, (vectors - mean) / deviation)
    first, last = (layer for layer in module if isinstance(layer, torch.nn.Linear))
    weight = _array(first.weight) / deviation
    return Network(
        hidden=(weight, _array(first.bias) - weight @ mean),
        output=(_array(last.weight), _array(last.bias)),
        slope=np.ones(len(HEADS), np.float32),
        intercept=np.zeros(len(HEADS), np.float32),
    )


def _optimised(found: Sequence[Example], vectors: Floats) -> torch.nn.Sequential:
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
    if not 0 < share < 1:
        raise ValueError(f"{name}: what is held out must hold texts that are of it and texts that are not")
    counted = np.where(truth, wanted / share, (1 - wanted) / (1 - share))
    line = LogisticRegression(C=1e6).fit(raw[judged][:, None], truth, sample_weight=counted)
    return float(line.coef_[0, 0]), float(line.intercept_[0])


def _array(tensor: torch.Tensor) -> Floats:
    result: Floats = tensor.detach().numpy().copy()
    return result
