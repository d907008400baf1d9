"""Train the token classifier: `python -m services.hallucination.training.adapter DATA`; about an hour on two cores."""

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import nn

from services.hallucination import model as stored
from services.hallucination.evidence import Given, claims, pairs
from services.hallucination.signs import OF_SENTENCE, SIGNS, signs
from services.hallucination.training import composition
from services.hallucination.training.composition import Labelled
from services.hallucination.training.report import auroc
from services.hallucination.words import Rarity
from services.shared import adapter as adapters
from services.shared import torch_adapter, torch_training
from services.shared.adapter import Head
from services.shared.model_store import BUILTIN, BUILTIN_SHA256, weights_folder

RANK, ALPHA = 16, 32.0
MAX_TOKENS = 256
BATCH_TOKENS = 2560
LEARNING_RATE, WARM_UP = 1e-3, 60
HEAD = "unsupported"
SEED = 7


@dataclass(frozen=True)
class Row:
    """One pass: token ids of both texts, types, and for the response's tokens their signs and labels."""

    ids: Sequence[int]
    types: Sequence[int]
    signs: npt.NDArray[np.float32]  # tokens by SIGNS
    labels: npt.NDArray[np.float32]  # tokens; -1 where none is learned
    example: int


class Tagger(nn.Module):
    """The encoder with low-rank changes, and a logit for each token from its state and its signs."""

    def __init__(self) -> None:
        super().__init__()
        base = weights_folder(BUILTIN)
        self.encoder = torch_adapter.trainable(base, heads=1, kind="token", rank=RANK, alpha=ALPHA)
        self.lexical = nn.Linear(len(SIGNS), 1, bias=False)
        nn.init.zeros_(self.lexical.weight)

    def forward(self, ids: torch.Tensor, types: torch.Tensor, mask: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """Logits (rows by tokens)."""
        logits: torch.Tensor = (self.encoder(ids, mask, types) + self.lexical(seen)).squeeze(-1)
        return logits


def tokenised(examples: Sequence[Labelled], rarity: Rarity) -> list[Row]:
    """The passes that the examples need."""
    tokenizer = Tokenizer.from_file(str(weights_folder(BUILTIN) / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS, strategy="longest_first")
    return [row for at, example in enumerate(examples) for row in _rows(at, example, tokenizer, rarity)]


def thinned(rows: Sequence[Row], seed: int) -> list[Row]:
    """Every row with something wrong, and of each example one that has nothing wrong."""
    choose = random.Random(seed)  # noqa: S311 - reproducible, not secret
    kept: list[Row] = []
    clean: dict[int, list[Row]] = {}
    for row in rows:
        if (row.labels > 0).any():
            kept.append(row)
        else:
            clean.setdefault(row.example, []).append(row)
    return kept + [choose.choice(each) for each in clean.values()]


def _rows(at: int, example: Labelled, tokenizer: Tokenizer, rarity: Rarity) -> Iterator[Row]:
    given = Given([example.context], example.prompt, rarity)
    for pair in pairs(claims(example.response, given), given):
        encoding = tokenizer.encode(pair.window, example.response[pair.start : pair.end])
        said = by_character(pair, given)
        seen = np.zeros((len(encoding.ids), len(SIGNS)), np.float32)
        labels = np.full(len(encoding.ids), -1, np.float32)
        for token, (sequence, (start, end)) in enumerate(zip(encoding.sequence_ids, encoding.offsets, strict=True)):
            if sequence == 1 and end > start:
                seen[token] = said[start]
                labels[token] = any(
                    start + pair.start < stop and end + pair.start > begin for begin, stop in example.wrong
                )
        if (labels >= 0).any():
            yield Row(encoding.ids, encoding.type_ids, seen, labels, at)


def by_character(pair: Any, given: Given) -> npt.NDArray[np.float32]:
    """The signs of the word that each character of the pair's response belongs to."""
    found = np.zeros((pair.end - pair.start, len(SIGNS)), np.float32)
    for claim in pair.claims:
        first = claim.sentence.start - pair.start
        rows = signs(claim, given)
        if len(rows):
            found[first : first + len(claim.sentence.text), OF_SENTENCE] = rows[0, OF_SENTENCE]
        for word, row in zip(claim.words, rows, strict=True):
            found[first + word.start : first + word.end] = row
    return found


def batches(rows: Sequence[Row], choose: random.Random | None) -> Iterator[list[Row]]:
    """Rows of like length together; in random order where `choose` is given."""
    order = sorted(rows, key=lambda row: len(row.ids) + (choose.random() * 16 if choose else 0))
    groups: list[list[Row]] = [[]]
    for row in order:
        if groups[-1] and (len(groups[-1]) + 1) * len(row.ids) > BATCH_TOKENS:
            groups.append([])
        groups[-1].append(row)
    if choose:
        choose.shuffle(groups)
    yield from groups


def tensors(group: Sequence[Row], device: torch.device) -> tuple[torch.Tensor, ...]:
    """Ids, types, mask, signs and labels, padded, on `device`."""
    longest = max(len(row.ids) for row in group)
    shape = (len(group), longest)
    ids, types, mask = (torch.zeros(shape, dtype=torch.long) for _ in range(3))
    seen, labels = torch.zeros((*shape, len(SIGNS))), torch.full(shape, -1.0)
    for at, row in enumerate(group):
        size = len(row.ids)
        ids[at, :size], types[at, :size], mask[at, :size] = torch.tensor(row.ids), torch.tensor(row.types), 1
        seen[at, :size], labels[at, :size] = torch.from_numpy(row.signs), torch.from_numpy(row.labels)
    return tuple(each.to(device) for each in (ids, types, mask, seen, labels))


def train(model: Tagger, rows: Sequence[Row], *, epochs: int) -> None:
    """One cycle of the learning rate over `epochs` passes over the rows."""
    choose = random.Random(SEED)  # noqa: S311 - reproducible, not secret
    plan = [group for _ in range(epochs) for group in batches(rows, choose)]
    optimizer = torch.optim.AdamW(
        [
            {"params": [each for each in part.parameters() if each.requires_grad], "rate": rate}
            for part, rate in ((model.encoder.transformer, 1.0), (model.encoder.heads, 3.0), (model.lexical, 20.0))
        ],
        weight_decay=0.01,
    )
    losses: list[float] = []
    for step, group in enumerate(plan):
        for each in optimizer.param_groups:
            each["lr"] = LEARNING_RATE * each["rate"] * min(1, (step + 1) / WARM_UP) * max(1 - step / len(plan), 0.02)
        loss = _loss(model, group)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        if step % 25 == 0:
            print(f"{step} of {len(plan)} steps, loss {np.mean(losses[-25:]):.4f}", flush=True)  # noqa: T201


def _loss(model: Tagger, group: Sequence[Row]) -> torch.Tensor:
    device = model.lexical.weight.device
    *given, labels = tensors(group, device)
    with torch_training.mixed(device):
        logits = model(*given)
    learnt = labels >= 0
    return nn.functional.binary_cross_entropy_with_logits(
        logits[learnt].float(), labels[learnt], pos_weight=torch.tensor(2.0, device=device)
    )


def predicted(model: Tagger, rows: Sequence[Row]) -> list[npt.NDArray[np.float32]]:
    """The logits of the tokens of every row, in the order of `rows`."""
    found: dict[int, npt.NDArray[np.float32]] = {}
    device = model.lexical.weight.device
    with torch.inference_mode(), torch_training.mixed(device):
        for group in batches(rows, None):
            *given, _ = tensors(group, device)
            logits = model(*given).float().cpu().numpy()
            found.update({id(row): logits[at, : len(row.ids)] for at, row in enumerate(group)})
    return [found[id(row)] for row in rows]


def measures(model: Tagger, examples: Sequence[Labelled], rows: Sequence[Row]) -> dict[str, Any]:
    """Token and response AUROC on documents that did not train, by what was done to the answer."""
    logits = predicted(model, rows)
    tokens = [
        (value, label)
        for row, found in zip(rows, logits, strict=True)
        for value, label in zip(found, row.labels, strict=True)
        if label >= 0
    ]
    worst = np.full(len(examples), -20.0)
    for row, found in zip(rows, logits, strict=True):
        worst[row.example] = max(worst[row.example], float(found[row.labels >= 0].max(initial=-20)))
    kinds = np.array([example.kind for example in examples])
    result: dict[str, Any] = {"tokens": auroc([label for _, label in tokens], [value for value, _ in tokens])}
    for kind in sorted(set(kinds) - {"supported"}):
        use = (kinds == kind) | (kinds == "supported")
        result[kind] = auroc(kinds[use] == kind, worst[use])
    return result


def write(model: Tagger, path: Path) -> None:
    """The adapter, in half precision."""
    head = Head(HEAD, over="min")  # what one window of a context supports is supported
    adapters.write(
        torch_adapter.adapter_of(
            model.encoder, base_sha256=BUILTIN_SHA256, heads=[head], alpha=ALPHA, max_tokens=MAX_TOKENS
        ),
        path,
    )


def main() -> None:
    """Compose, train, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="directory with the data sets")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--without", default="", help="a source to leave out: summedits, clapnq, …")
    arguments = parser.parse_args()
    torch.manual_seed(SEED)
    torch.set_num_threads(arguments.threads)
    rarity = stored.load_rarity(stored.BUILTIN)
    examples = composition.read(arguments.data, seed=SEED)
    training = [
        each
        for each in examples
        if not each.held_out and not (arguments.without and each.source.startswith(arguments.without))
    ]
    measured = [each for each in examples if each.held_out]
    rows = thinned(tokenised(training, rarity), SEED)
    tokens = sum(len(row.ids) for row in rows)
    print(f"{len(training)} answers, {len(rows)} passes, {tokens} tokens", flush=True)  # noqa: T201
    model = Tagger().to(torch_training.fastest())
    train(model, rows, epochs=arguments.epochs)
    write(model.eval(), arguments.output)
    print(json.dumps(measures(model, measured, tokenised(measured, rarity))))  # noqa: T201


if __name__ == "__main__":
    main()
