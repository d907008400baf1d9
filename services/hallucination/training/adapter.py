"""Train the token classifier: `python -m services.hallucination.training.adapter DATA`; half an hour on two cores."""

import argparse
import json
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoModel

from services.hallucination import model as stored
from services.hallucination.evidence import Given, claims, pairs
from services.hallucination.signs import OF_SENTENCE, SIGNS, signs
from services.hallucination.training import composition
from services.hallucination.training.composition import Labelled
from services.hallucination.training.report import auroc
from services.hallucination.words import Rarity
from services.shared import adapter as adapters
from services.shared.adapter import Adapter, Facts, Head
from services.shared.model_store import BUILTIN, BUILTIN_SHA256, weights_folder

RANK, ALPHA = 16, 32
MAX_TOKENS = 256
BATCH_TOKENS = 2560
LEARNING_RATE = 1e-3
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


class Lora(nn.Module):
    """A frozen linear map and a trained one of low rank beside it."""

    def __init__(self, base: nn.Linear) -> None:
        super().__init__()
        self.base = base
        self.lora_A = nn.Parameter(torch.randn(RANK, base.in_features) / math.sqrt(base.in_features))
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, RANK))

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """Both maps' sum."""
        # One product with the summed weights is twice as fast on a CPU as three products of which two are narrow.
        weight = self.base.weight.float() + (self.lora_B @ self.lora_A) * (ALPHA / RANK)
        return nn.functional.linear(given, weight.to(given.dtype), self.base.bias)


class Tagger(nn.Module):
    """The encoder with adapters, and a logit for each token from its state and its signs."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(weights_folder(BUILTIN), use_safetensors=True, local_files_only=True)
        self.encoder.requires_grad_(False).to(torch.bfloat16)
        for name, module in list(self.encoder.named_modules()):
            if isinstance(module, nn.Linear) and name.startswith("encoder."):
                parent, _, leaf = name.rpartition(".")
                setattr(self.encoder.get_submodule(parent), leaf, Lora(module))
        self.head = nn.Linear(self.encoder.config.hidden_size, 1)
        self.lexical = nn.Linear(len(SIGNS), 1, bias=False)
        nn.init.zeros_(self.lexical.weight)

    def forward(self, ids: torch.Tensor, types: torch.Tensor, mask: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """Logits (rows by tokens)."""
        states = self.encoder(input_ids=ids, token_type_ids=types, attention_mask=mask).last_hidden_state.float()
        logits: torch.Tensor = (self.head(states) + self.lexical(seen)).squeeze(-1)
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


def tensors(group: Sequence[Row]) -> tuple[torch.Tensor, ...]:
    """Ids, types, mask, signs and labels, padded."""
    longest = max(len(row.ids) for row in group)
    shape = (len(group), longest)
    ids, types, mask = (torch.zeros(shape, dtype=torch.long) for _ in range(3))
    seen, labels = torch.zeros((*shape, len(SIGNS))), torch.full(shape, -1.0)
    for at, row in enumerate(group):
        size = len(row.ids)
        ids[at, :size], types[at, :size], mask[at, :size] = torch.tensor(row.ids), torch.tensor(row.types), 1
        seen[at, :size], labels[at, :size] = torch.from_numpy(row.signs), torch.from_numpy(row.labels)
    return ids, types, mask, seen, labels


def train(model: Tagger, rows: Sequence[Row], *, minutes: float, save: Path, epochs: int) -> None:
    """One cycle of the learning rate; ends at the epochs or minutes that come first, saved on the way."""
    choose = random.Random(SEED)  # noqa: S311 - reproducible, not secret
    plan = [group for _ in range(epochs) for group in batches(rows, choose)]
    own = [each for each in model.parameters() if each.requires_grad]
    groups = [(model.encoder, 1.0), (model.head, 3.0), (model.lexical, 20.0)]
    optimizer = torch.optim.AdamW(
        [{"params": [each for each in part.parameters() if each.requires_grad], "rate": rate} for part, rate in groups],
        weight_decay=0.01,
    )
    began, losses = time.monotonic(), []
    for step, group in enumerate(plan):
        done = max(step / len(plan), (time.monotonic() - began) / 60 / minutes)
        if done >= 1:
            break
        for each in optimizer.param_groups:
            each["lr"] = LEARNING_RATE * each["rate"] * min(1, (step + 1) / 60) * max(1 - done, 0.02)
        ids, types, mask, seen, labels = tensors(group)
        kept = labels >= 0
        if not kept.any():
            continue
        logits = model(ids, types, mask, seen)[kept]
        loss = nn.functional.binary_cross_entropy_with_logits(logits, labels[kept], pos_weight=torch.tensor(2.0))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(own, 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
        if step % 25 == 0:
            minute = (time.monotonic() - began) / 60
            print(f"{step}/{len(plan)} {np.mean(losses[-25:]):.4f} {minute:.1f} min", flush=True)  # noqa: T201
        if step % 200 == 199:
            write(model, save)


def predicted(model: Tagger, rows: Sequence[Row]) -> list[npt.NDArray[np.float32]]:
    """The logits of the tokens of every row, in the order of `rows`."""
    found: dict[int, npt.NDArray[np.float32]] = {}
    with torch.inference_mode():
        for group in batches(rows, None):
            ids, types, mask, seen, _ = tensors(group)
            logits = model(ids, types, mask, seen).numpy()
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
    changes = {
        name.removeprefix("encoder."): (_array(layer.lora_A), _array(layer.lora_B))
        for name, layer in model.named_modules()
        if isinstance(layer, Lora)
    }
    facts = Facts(
        base_sha256=BUILTIN_SHA256,
        rank=RANK,
        alpha=ALPHA,
        kind="token",
        heads=(Head(HEAD, over="min"),),  # what one window of a context supports is supported
        max_tokens=MAX_TOKENS,
    )
    adapters.write(
        Adapter(facts=facts, changes=changes, output=(_array(model.head.weight), _array(model.head.bias))), path
    )


def _array(tensor: torch.Tensor) -> npt.NDArray[np.float32]:
    return tensor.detach().float().numpy()


def main() -> None:
    """Compose, train, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="directory with the data sets")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=35)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
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
    model = Tagger()
    train(model, rows, minutes=arguments.minutes, save=arguments.output, epochs=arguments.epochs)
    write(model, arguments.output)
    print(json.dumps(measures(model, measured, tokenised(measured, rarity))))  # noqa: T201


if __name__ == "__main__":
    main()
