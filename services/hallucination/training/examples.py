"""Responses and their contexts, and whether the one is supported by the other."""

import gzip
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from services.hallucination.hallucination import Encoder
from services.shared.sentences import sentences

MEASURED_ONLY = {"halueval_qa"}  # its bad answers are sentences and its good ones words: length alone tells
EXTRACTED = {"adversarial_qa", "quoref", "duorc", "cnn_dailymail"}  # the others are inferred beyond their text


@dataclass(frozen=True)
class Example:
    """A response, what it was given, and 1 where it says what it was not given."""

    prompt: str
    context: str
    response: str
    label: int
    source: str


def read(data: Path, encoder: Encoder, *, seed: int) -> list[Example]:
    """Every training example; what `seed` decides is which are taken and how supported answers are corrupted."""
    choose = random.Random(seed)  # noqa: S311 - reproducible, not secret
    return [
        *_judged(data, "hallucination", {"begin_wow": 1500, "halueval_qa": 500}, choose),
        *_judged(data, "grounded_edits", {"summedits": 1200}, choose),
        *corrupted(_long(data), encoder, choose, "clapnq_corrupted"),
        *corrupted(_composed(data, choose), encoder, choose, "composed_corrupted"),
    ]


def measured(data: Path) -> list[Example]:
    """Answers of current models, judged by three people each: for measuring only."""
    return [
        Example(row["prompt"], row["context"], row["response"], row["label"], row["source"])
        for row in rows(data, "rag_human")
    ]


def contexts(data: Path) -> list[str]:
    """Documents that the rarity of words is counted in."""
    files = ("hallucination", "grounded_edits", "grounded_long")
    found = {row["context"] for file in files for row in rows(data, file)}
    return sorted(found | {row["prompt"] for row in rows(data, "grounded")})


def rows(data: Path, name: str) -> list[dict[str, Any]]:
    """The rows of one gzip'ed JSON-lines file."""
    with gzip.open(data / f"{name}.jsonl.gz", "rt") as file:
        return [json.loads(line) for line in file]


def _judged(data: Path, name: str, counts: dict[str, int], choose: random.Random) -> Iterator[Example]:
    for source, count in counts.items():
        found = [row for row in rows(data, name) if row.get("source") == source]
        for row in choose.sample(found, min(count, len(found))):
            yield Example(row["prompt"], row["context"], row["response"], int(row["label"]), source)


def _long(data: Path) -> list[Example]:
    return [Example(row["prompt"], row["context"], row["response"], 0, "clapnq") for row in rows(data, "grounded_long")]


def _composed(data: Path, choose: random.Random) -> list[Example]:
    """Answers of three to six sentences of a passage, in another order: most given answers are one or two words."""
    passages = [row for row in rows(data, "grounded") if row["source"] in EXTRACTED]
    found = []
    for row in choose.sample(passages, min(800, len(passages))):
        parts = [part.text for part in sentences(row["prompt"]) if 40 <= len(part.text) <= 300]
        if len(parts) >= 8:
            said = choose.sample(parts, choose.randint(3, 6))
            found.append(Example("", row["prompt"], " ".join(said), 0, "composed"))
    return found


def corrupted(found: Sequence[Example], encoder: Encoder, choose: random.Random, source: str) -> Iterator[Example]:
    """Each supported answer, and the same with a sentence of the most similar other answer, or without its support.

    Additions that stay on the topic, and support that is missing, are what most errors of real answers look like.
    """
    vectors = encoder.encode([example.response for example in found])
    alike = vectors @ vectors.T
    for at, example in enumerate(found):
        yield Example(example.prompt, example.context, example.response, 0, source)
        alike[at, [other for other, each in enumerate(found) if each.context == example.context]] = -1
        other = found[int(np.argmax(alike[at]))]
        if choose.random() < 0.5:
            response = _with_foreign_sentence(example.response, other.response, choose)
            yield Example(example.prompt, example.context, response, 1, source)
        else:
            yield Example(example.prompt, _without_support(example, encoder, choose), example.response, 1, source)


def _with_foreign_sentence(response: str, foreign: str, choose: random.Random) -> str:
    own = [part.text for part in sentences(response)]
    added = [part.text for part in sentences(foreign)]
    own.insert(choose.randint(0, len(own)), choose.choice(added) if added else foreign)
    return " ".join(own)


def _without_support(example: Example, encoder: Encoder, choose: random.Random) -> str:
    """The context without the two sentences that are most like one sentence of the response."""
    parts = sentences(example.context, most=1024)
    claim = choose.choice(sentences(example.response)).text
    similarity = encoder.encode([claim]) @ encoder.encode([part.text for part in parts]).T
    dropped = set(np.argsort(-similarity[0])[:2].tolist())
    kept = " ".join(part.text for at, part in enumerate(parts) if at not in dropped)
    return kept if re.search(r"\w", kept) else "-"
