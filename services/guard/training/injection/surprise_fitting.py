"""The character model and the network that tells suffixes."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from services.guard.guard.injection_hashes import HashedText
from services.guard.guard.injection_suffix import FEATURES, SuffixModel, chunks
from services.guard.guard.injection_surprise import STEPS_PER_BIT, SurpriseModel, Table, cells
from services.guard.training.injection import corpora, suffixes
from services.shared.training_rows import rows

SIZES: Mapping[int, int] = {1: 1 << 12, 2: 1 << 15, 3: 1 << 17, 4: 1 << 19, 5: 1 << 19}
LEAST: Mapping[int, int] = {1: 1, 2: 1, 3: 2, 4: 2, 5: 3}
DISCOUNT = 0.5
HIDDEN, EPOCHS, BATCH = 24, 8, 512
MOST_A_SORT, ATTACKED = 150, 1500  # texts that the network sees

Floats = npt.NDArray[np.float32]


def ordinary(data: Path, *, seed: int, held_out: bool = False) -> dict[str, list[str]]:
    """Texts without a suffix, by sort; those held out, or the others."""
    choose = random.Random(seed)  # noqa: S311 - reproducible, not secret
    words = suffixes.vocabulary([row["prompt"] for row in rows(data, "grounded")[:600]])
    instructions = rows(data, "instructions")
    found = {
        "prompts": [row["prompt"] for row in instructions],
        "answers": [row["response"] for row in instructions],
        "grounded": [row["prompt"] for row in rows(data, "grounded")[::3]],
        "documents": [text for texts in corpora.documents(data).values() for text in texts],
        "attacks": [row["text"] for row in rows(data, "injection") if row["label"]],
        "queries": [row["text"] for row in rows(data, "drift_topic")][::6],
        "requests": [row["text"] for row in rows(data, "harmful_requests")],
        "tweets": [row["text"] for row in rows(data, "toxicity") if row["source"] == "davidson"][::10],
        "code": corpora.code(),
        **{f"language_{name}": [*texts, *_joined(texts, choose)] for name, texts in corpora.languages(data).items()},
        **{name: [make(choose, words) for _ in range(400)] for name, make in suffixes.ORDINARY.items()},
    }
    return {name: [text for text in texts if corpora.held_out(text) == held_out] for name, texts in found.items()}


def _joined(texts: Sequence[str], choose: random.Random) -> list[str]:
    return [" ".join(choose.sample(texts, 5)) for _ in range(60)]


def surprise(texts: Sequence[str]) -> SurpriseModel:
    """The model of `texts`: of each n-gram its discounted share among those with the same beginning."""
    hashed = [HashedText.of(text) for text in texts]
    counts = {order: _counted([each.grams(order) for each in hashed]) for order in SIZES}
    heads = {
        order: _counted([each.grams(order)[: max(0, len(each.codes) - order)] for each in hashed])
        for order in range(1, max(SIZES))
    }
    beginnings = {order: _beginnings(hashed, order) for order in SIZES}
    tables = {order: _table(order, counts[order], beginnings[order], heads.get(order - 1)) for order in SIZES}
    return SurpriseModel(tables)


Counted = tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]


def _counted(grams: Sequence[npt.NDArray[np.uint64]]) -> Counted:
    found, counts = np.unique(np.concatenate(grams), return_counts=True)
    return found, counts


def _beginnings(hashed: Sequence[HashedText], order: int) -> npt.NDArray[np.uint64]:
    """The hash of each distinct n-gram's first characters, in the order of the n-grams' hashes."""
    if order == 1:
        return np.empty(0, np.uint64)
    grams = np.concatenate([each.grams(order) for each in hashed])
    _, first = np.unique(grams, return_index=True)
    shorter = np.concatenate([each.grams(order - 1)[: max(0, len(each.codes) - order + 1)] for each in hashed])
    result: npt.NDArray[np.uint64] = shorter[first]
    return result


def _table(order: int, counted: Counted, beginnings: npt.NDArray[np.uint64], heads: Counted | None) -> Table:
    grams, counts = counted
    totals = np.full(len(grams), counts.sum()) if heads is None else heads[1][np.searchsorted(heads[0], beginnings)]
    kept = counts >= LEAST[order]
    bits = -np.log2(np.maximum(counts[kept] - DISCOUNT, 0.1) / totals[kept])
    steps = np.clip(np.round(bits * STEPS_PER_BIT), 0, 255).astype(np.uint16)
    where, prints = cells(grams[kept], SIZES[order])
    table = np.zeros(SIZES[order], np.uint16)
    rising = np.argsort(counts[kept], kind="stable")
    table[where[rising]] = (prints[rising] << np.uint16(8)) | steps[rising]
    return table


def suffix_model(model: SurpriseModel, texts: Mapping[str, Sequence[str]], *, seed: int) -> SuffixModel:
    """The network, trained on chunks of texts with and without a suffix; not calibrated."""
    choose = random.Random(seed)  # noqa: S311 - reproducible, not secret
    harmless = [
        text[:1000] for listed in texts.values() for text in choose.sample(listed, min(MOST_A_SORT, len(listed)))
    ]
    inputs = [chunks(text, model).features for text in harmless]
    labels = [np.zeros(len(each), np.bool_) for each in inputs]
    for text, start in attacked(texts, ATTACKED, choose):
        found = chunks(text, model)
        inputs.append(found.features)
        labels.append((found.starts + found.ends) / 2 > start)
    return _trained(model, np.concatenate(inputs), np.concatenate(labels), seed)


def attacked(texts: Mapping[str, Sequence[str]], count: int, choose: random.Random) -> list[tuple[str, int]]:
    """Requests with a suffix, and where it starts; a tenth are a suffix alone."""
    words = suffixes.vocabulary(
        [text for name in ("code", "language_de", "language_es", "answers", "documents") for text in texts[name][:500]]
    )
    hosts = [*texts["requests"], *(text[:600] for text in texts["prompts"])]
    found = []
    for _ in range(count):
        host = "" if choose.random() < 0.1 else choose.choice(hosts) + " "
        found.append((host + suffixes.suffix(choose, words), len(host)))
    return found


def _trained(model: SurpriseModel, inputs: Floats, labels: npt.NDArray[np.bool_], seed: int) -> SuffixModel:
    torch.manual_seed(seed)
    centre, scale = inputs.mean(axis=0), inputs.std(axis=0) + 1e-3
    data = torch.from_numpy(((inputs - centre) / scale).clip(-6, 6).astype(np.float32))
    truth = torch.from_numpy(labels.astype(np.float32))
    hidden, output = torch.nn.Linear(FEATURES, HIDDEN), torch.nn.Linear(HIDDEN, 1)
    network = torch.nn.Sequential(hidden, torch.nn.Tanh(), output)
    optimiser = torch.optim.AdamW(network.parameters(), lr=5e-3, weight_decay=1e-2)
    for _ in range(EPOCHS):
        for batch in torch.split(torch.randperm(len(data)), BATCH):
            loss = torch.nn.functional.binary_cross_entropy_with_logits(network(data[batch])[:, 0], truth[batch])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    arrays = [each.detach().numpy().copy() for each in (hidden.weight.T, hidden.bias, output.weight.T, output.bias)]
    return SuffixModel(model, centre, scale, (arrays[0], arrays[1]), (arrays[2], arrays[3]))
