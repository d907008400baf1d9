"""Low-rank changes of the encoder's upper layers, trained for all heads together."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from tokenizers import Tokenizer

from services.shared import model_store, torch_adapter, torch_training
from services.shared.counterfactual import swaps
from services.shared.torch_adapter import HeadedEncoder, LowRank
from services.shared.torch_encoder import mean_of_tokens
from services.toxicity.toxicity import readable
from services.toxicity.training.examples import Example
from services.toxicity.training.fitting import HEADS, labels, weights

RANK, ALPHA, RATE, DECAY, WARM_UP = 8, 16.0, 1e-3, 1e-2, 50
FROZEN_LAYERS = 3  # whose states are computed once: training all of them takes twice the time
MAX_TOKENS = 64  # of a sentence in training
BATCH_TOKENS = 2048
SWAPPED = 0.5  # of the texts that name a group get the name of another one


@dataclass(frozen=True)
class Row:
    """One text below the layers that are trained: its states (tokens by dimension), labels and weight."""

    states: torch.Tensor
    labels: torch.Tensor
    weight: float


def swapped(found: Sequence[Example], choose: random.Random) -> list[Example]:
    """The examples, SWAPPED of those that name a group with another one in its place."""
    result = []
    for example in found:
        others = list(swaps(example.text)) if choose.random() < SWAPPED else []
        result.append(replace(example, text=choose.choice(others).text) if others else example)
    return result


def trained(found: Sequence[Example], *, seed: int, epochs: float) -> HeadedEncoder:
    """The encoder with adapters, after each text was seen `epochs` times; the rate falls to nothing over them."""
    torch.manual_seed(seed)
    choose = random.Random(seed)  # noqa: S311 - reproducible, not secret
    base = model_store.weights_folder(model_store.BUILTIN)
    module = torch_adapter.trainable(base, heads=len(HEADS), kind="sequence", rank=RANK, alpha=ALPHA)
    _unadapted(module)
    device = torch_training.fastest()
    module.to(device)
    rows = _rows(module, swapped(found, choose), device)
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=RATE, weight_decay=DECAY)
    seen, running = 0, 0.0
    module.train()
    for step, group in enumerate(_endless(rows, choose)):
        passed = seen / len(rows) / epochs
        if passed >= 1:
            break
        optimiser.param_groups[0]["lr"] = RATE * min(1.0, (step + 1) / WARM_UP, 1 - passed)
        loss = _loss(module, group)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        seen, running = seen + len(group), 0.99 * running + 0.01 * loss.item()
        if step % 50 == 0:
            print(f"{seen / len(rows):.2f} of {epochs:g} epochs of {len(rows)} texts, loss {running:.4f}", flush=True)  # noqa: T201
    return module.eval()


def _unadapted(module: HeadedEncoder) -> None:
    for path, layer in list(module.transformer.named_modules()):
        if isinstance(layer, LowRank) and int(path.split(".")[2]) < FROZEN_LAYERS:
            module.transformer.set_submodule(path, layer.frozen)


def _rows(module: HeadedEncoder, found: Sequence[Example], device: torch.device) -> list[Row]:
    """The states of every text below what is trained: 17 KB for 22 tokens in bf16."""
    known, result = torch.from_numpy(labels(found)).to(device), {}
    counted = weights(found)
    module.eval()
    for numbers, ids, mask in _batches([readable(example.text) for example in found], device):
        with torch.inference_mode(), torch_training.mixed(device):
            states = _through(module, module.transformer.embeddings(input_ids=ids), mask, 0, FROZEN_LAYERS)
        for number, row, tokens in zip(numbers, states.to(torch_training.kind(device)), mask.sum(1), strict=True):
            result[number] = Row(row[:tokens].clone(), known[number], float(counted[number]))
    return [result[number] for number in range(len(found))]


def _batches(texts: Sequence[str], device: torch.device) -> Iterator[tuple[list[int], torch.Tensor, torch.Tensor]]:
    """Numbers of texts of like length, their padded token ids and masks; every text once."""
    tokenizer = Tokenizer.from_file(str(model_store.weights_folder(model_store.BUILTIN) / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    ids = [encoding.ids for encoding in tokenizer.encode_batch_fast(list(texts))]
    for numbers in _cut(sorted(range(len(ids)), key=lambda number: len(ids[number])), [len(each) for each in ids]):
        longest = rounded(max(len(ids[number]) for number in numbers))
        padded = torch.tensor([ids[number] + [0] * (longest - len(ids[number])) for number in numbers], device=device)
        yield numbers, padded, (padded != 0).long()


def _cut(order: Sequence[int], lengths: Sequence[int]) -> list[list[int]]:
    groups: list[list[int]] = [[]]
    for number in order:
        if groups[-1] and (len(groups[-1]) + 1) * rounded(lengths[number]) > BATCH_TOKENS:
            groups.append([])
        groups[-1].append(number)
    return groups


def rounded(length: int) -> int:
    """The length that a batch is padded to: few shapes, for which kernels are made once."""
    return -(-length // 8) * 8


def _through(module: HeadedEncoder, states: torch.Tensor, mask: torch.Tensor, first: int, last: int) -> Any:
    kind = torch_training.kind(mask.device)
    bias = torch.zeros_like(mask, dtype=kind).masked_fill(mask == 0, -1e4)[:, None, None, :]
    for layer in module.transformer.encoder.layer[first:last]:
        states = layer(states, bias)
        states = states[0] if isinstance(states, tuple) else states
    return states


def _endless(rows: Sequence[Row], choose: random.Random) -> Iterator[list[Row]]:
    lengths = [len(row.states) for row in rows]
    while True:
        order = sorted(range(len(rows)), key=lambda number: lengths[number] + choose.random() * 4)
        groups = _cut(order, lengths)
        choose.shuffle(groups)
        yield from ([rows[number] for number in group] for group in groups)


def _loss(module: HeadedEncoder, group: Sequence[Row]) -> torch.Tensor:
    states = torch.nn.utils.rnn.pad_sequence([row.states for row in group], batch_first=True)
    states = torch.nn.functional.pad(states, (0, 0, 0, rounded(states.shape[1]) - states.shape[1]))
    lengths = torch.tensor([len(row.states) for row in group], device=states.device)
    mask = (torch.arange(states.shape[1], device=states.device) < lengths[:, None]).long()
    with torch_training.mixed(states.device):
        states = _through(module, states, mask, FROZEN_LAYERS, len(module.transformer.encoder.layer))
    mean = mean_of_tokens(states.float(), mask)
    logits, targets = module.heads(mean), torch.stack([row.labels for row in group])
    known, weights = ~targets.isnan(), torch.tensor([row.weight for row in group], device=states.device)
    each = torch.nn.functional.binary_cross_entropy_with_logits(logits, targets.nan_to_num(), reduction="none")
    return ((each * known).sum(1) * weights).sum() / weights.sum()
