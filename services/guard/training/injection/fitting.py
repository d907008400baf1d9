"""The window heads, and how their windows are pooled."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from services.guard.guard.injection import MOST_WINDOWS as IN_SERVICE
from services.guard.guard.injection import Judge, judged_reading
from services.guard.guard.injection_concepts import concepts
from services.guard.guard.injection_head import UNLIKELY, WORD_TERMS, Head, Network, WindowHead, places, pooled
from services.guard.guard.injection_terms import CONCEPT_BITS, idea_terms, word_terms
from services.guard.guard.injection_views import visible
from services.guard.guard.injection_windows import Window, windows
from services.guard.training.injection.examples import Example
from services.shared.vectors import Encoder

HIDDEN, EPOCHS, BATCH, DROPOUT, RATE, DECAY = 64, 12, 256, 0.4, 2e-3, 3e-2
MOST_WINDOWS = 8  # of a text that is learnt from; a text that is measured on has as many as in service
MOST_PER_SOURCE = 600.0  # texts that a source may weigh
WORD_STRENGTH, CONCEPT_STRENGTH = 3.0, 3.0  # inverse regularisation

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Prepared:
    """An example's windows, which of them hold the attack, and their vectors."""

    example: Example
    windows: Sequence[Window]
    labels: Flags
    vectors: Floats


def prepare(found: Sequence[Example], encoder: Encoder) -> list[Prepared]:
    """Every example with its windows; those without any are left out."""
    kept = [(example, _windows(example)) for example in found]
    texts = sorted({window.text for _, judged in kept for window in judged})
    vectors = dict(zip(texts, encoder.encode(texts), strict=True))
    return [
        Prepared(example, judged, _labels(example, judged), np.stack([vectors[window.text] for window in judged]))
        for example, judged in kept
        if judged
    ]


def _windows(example: Example) -> list[Window]:
    """The windows with the attack, and those from the start on."""
    judged = windows(visible(example.text).text)
    most = IN_SERVICE if example.held_out else MOST_WINDOWS
    attacked = [at for at, flag in enumerate(_labels(example, judged)) if flag][:most]
    order = dict.fromkeys([*attacked, *range(len(judged))])
    return [judged[at] for at in sorted(list(order)[:most])]


def _labels(example: Example, judged: Sequence[Window]) -> Flags:
    """Whether half of a window, or of the attack, is in the other."""
    shared = [min(each.end, example.end) - max(each.start, example.start) for each in judged]
    size = example.end - example.start
    flags = [common > 0.5 * min(size, each.end - each.start) for common, each in zip(shared, judged, strict=True)]
    return np.array(flags, np.bool_) & example.label


def head(found: Sequence[Prepared], *, seed: int) -> WindowHead:
    """A head trained on all of `found`."""
    labels = np.concatenate([each.labels for each in found])
    weights = _weights(found)
    judged = [window for each in found for window in each.windows]
    words, word_intercept = _linear(
        [word_terms(each.text) for each in judged], WORD_TERMS, labels, weights, WORD_STRENGTH
    )
    concepts, intercept = _ideas(judged, labels, weights)
    inputs = np.concatenate([np.concatenate([each.vectors, places(each.vectors)], axis=1) for each in found])
    return WindowHead(_network(inputs, labels, weights, seed), words, concepts, (word_intercept, intercept))


def _ideas(judged: Sequence[Window], labels: Flags, weights: Floats) -> tuple[Floats, float]:
    """The linear model over ideas: attacks also as other languages would put them, which share their weight."""
    terms, truth, weight = [], [], []
    for window, label, own in zip(judged, labels, weights, strict=True):
        ideas = concepts(window.text.lower())
        ways = [ideas, *retold(ideas)] if label else [ideas]
        terms += [idea_terms(way) for way in ways]
        truth += [label] * len(ways)
        weight += [own / len(ways) ** 0.5] * len(ways)
    return _linear(terms, 1 << CONCEPT_BITS, np.array(truth), np.array(weight, np.float32), CONCEPT_STRENGTH)


def retold(ideas: Sequence[str]) -> list[list[str]]:
    """Ideas in a row as other languages order them: without `you`, adjectives behind their nouns, verbs at the end.

    >>> retold(["ignore", "prior", "instructions"])
    [['ignore', 'instructions', 'prior'], ['prior', 'instructions', 'ignore']]
    """
    bare = _once(idea for idea in ideas if idea != "you")
    ways = [bare, _behind(list(ideas)), _behind(bare), _verbs_last(bare)]
    return [list(way) for way in dict.fromkeys(map(tuple, ways)) if way != tuple(ideas)]


def _behind(ideas: list[str]) -> list[str]:
    found = list(ideas)
    for at, (first, second) in enumerate(pairwise(ideas)):
        if first in ("prior", "system") and second == "instructions":
            found[at], found[at + 1] = second, first
    return _once(found)


def _verbs_last(ideas: list[str]) -> list[str]:
    """Each verb behind the things that follow it."""
    found: list[str] = []
    waiting: list[str] = []
    for idea in ideas:
        if idea in ("prior", "instructions", "system"):
            found.append(idea)
        else:
            found += waiting
            waiting = [idea] if idea in ("ignore", "reveal") else []
            found += [] if waiting else [idea]
    return _once([*found, *waiting])


def _once(ideas: Iterable[str]) -> list[str]:
    return [idea for idea, _ in groupby(ideas)]


def _weights(found: Sequence[Prepared]) -> Floats:
    """One a text, less for texts of a frequent source, shared by its windows (by the root of their number)."""
    counts = Counter((each.example.source, each.example.kind) for each in found)
    per_window = [
        np.full(
            len(each.windows),
            min(1.0, MOST_PER_SOURCE / counts[each.example.source, each.example.kind]) / len(each.windows) ** 0.5,
        )
        for each in found
    ]
    weights: Floats = np.concatenate(per_window).astype(np.float32)
    return weights


def _linear(
    terms: Sequence[npt.NDArray[np.int64]], size: int, labels: Flags, weights: Floats, strength: float
) -> tuple[Floats, float]:
    ends = np.cumsum([0, *(len(each) for each in terms)])
    values = np.concatenate([np.full(len(each), 1 / max(1, len(each)) ** 0.5, np.float32) for each in terms])
    matrix = csr_matrix((values, np.concatenate(terms), ends), shape=(len(terms), size))
    line = LogisticRegression(C=strength, max_iter=200).fit(matrix, labels, sample_weight=weights)
    return line.coef_[0].astype(np.float16).astype(np.float32), float(line.intercept_[0])


def _network(inputs: Floats, labels: Flags, weights: Floats, seed: int) -> Network:
    torch.manual_seed(seed)
    data, truth, weight = (torch.from_numpy(each.astype(np.float32)) for each in (inputs, labels, weights))
    network = torch.nn.Sequential(
        torch.nn.Dropout(0.1),
        torch.nn.Linear(inputs.shape[1], HIDDEN),
        torch.nn.GELU(approximate="tanh"),
        torch.nn.Dropout(DROPOUT),
        torch.nn.Linear(HIDDEN, 1),
    )
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=EPOCHS * -(-len(data) // BATCH))
    for _ in range(EPOCHS):
        for batch in torch.split(torch.randperm(len(data)), BATCH):
            logits = network(data[batch])[:, 0]
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, truth[batch], weight=weight[batch])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    return Network(
        (_array(network[1].weight.T), _array(network[1].bias)), (_array(network[4].weight.T), _array(network[4].bias))
    )


def _array(tensor: Any) -> Floats:
    result: Floats = tensor.detach().numpy().copy()
    return result


def judge(trained: Head, held_out: Sequence[Prepared], *, flagged: tuple[float, float, float], spare: float) -> Judge:
    """The head with pooling and thresholds fitted on texts that it has not seen.

    Of the harmless ones the shares `flagged` reach even odds by meaning and wording; by ideas, of those with English
    windows; by ideas, of those with others. A disguise adds so
    much that all but the share `spare` of harmless texts stay below when disguised.
    """
    logits = [trained.logits(each.windows, each.vectors) for each in held_out]
    features = np.stack([pooled(each[:, 0]) for each in logits])
    ideas = np.array([each[:, 1:].max(axis=0) for each in logits])
    truth = np.array([each.example.label for each in held_out])
    line = LogisticRegression(C=1.0).fit(features, truth)
    together = features @ line.coef_[0]
    intercept = -float(np.quantile(together[~truth], 1 - flagged[0]))
    english, other = (_cut(of_one[~truth], share) for of_one, share in zip(ideas.T, flagged[1:], strict=True))
    weights = [float(each) for each in line.coef_[0]]
    harmless = together[~truth] + intercept
    return Judge(
        trained,
        (weights[0], weights[1], weights[2], intercept),
        (-english, -other),
        -float(np.quantile(harmless, 1 - spare)),
    )


def _cut(ideas: npt.NDArray[np.float64], share: float) -> float:
    """What that share of the texts with any such window lies above."""
    return float(np.quantile(ideas[ideas > UNLIKELY], 1 - share))


def text_log_odds(judged_by: Judge, found: Sequence[Prepared]) -> npt.NDArray[np.float64]:
    """The log-odds of each text as it stands, without decoding."""
    per_text = [
        judged_reading(visible(each.example.text), each.windows, judged_by, each.vectors).log_odds for each in found
    ]
    return np.array(per_text)
