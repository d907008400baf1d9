"""Sentences and what each source's labels say of them."""

import gzip
import json
import pydoc_data.topics
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from services.shared.sentences import sentences

UNKNOWN = float("nan")


@dataclass(frozen=True)
class Example:
    """A text; for each kind 1, 0 or unknown; and where it comes from. `held_out` examples are for measuring only."""

    text: str
    source: str
    abuse: float = UNKNOWN
    harmful_request: float = UNKNOWN
    held_out: bool = False


def read(data: Path, *, seed: int) -> list[Example]:
    """Every example, without repeats, in an order that `seed` decides."""
    choose = random.Random(seed)  # noqa: S311 - reproducible, not secret
    found: list[Example] = []
    for maker in (_contrast, _civil, _davidson, _harmful, _instructions, _other_clean, _documentation):
        found += maker(data, choose)
    unique = list({example.text: example for example in found}.values())
    choose.shuffle(unique)
    return unique


def rows(data: Path, name: str) -> list[dict[str, Any]]:
    """The rows of one gzip'ed JSON-lines file."""
    with gzip.open(data / f"{name}.jsonl.gz", "rt") as file:
        return [json.loads(line) for line in file]


Maker = Callable[[Path, random.Random], Iterator[Example]]


def _sample(found: list[Any], count: int, choose: random.Random) -> list[Any]:
    return choose.sample(found, min(count, len(found)))


def _contrast(data: Path, choose: random.Random) -> Iterator[Example]:
    groups: dict[str, bool] = {}
    for row in rows(data, "toxicity_contrast"):
        group = str(row.get("pair") or row.get("template") or row["text"])
        held_out = groups.setdefault(group, choose.random() < 0.15)  # a pair is never torn apart
        yield Example(row["text"], row["source"], abuse=float(row["label"]), held_out=held_out)


def _civil(data: Path, choose: random.Random) -> Iterator[Example]:
    """Only sentences that annotators marked: label 0 means borderline there, not clean."""
    marked = [row for row in rows(data, "toxicity") if row["source"] == "civil_toxic_spans" and row["label"]]
    for row in _sample(marked, 4500, choose):
        held_out = choose.random() < 0.15
        for sentence in sentences(row["text"]):
            if any(
                start < sentence.end and end > sentence.start for start, end in map(_bounds, row.get("spans") or [])
            ):
                yield Example(sentence.text, "civil_toxic_spans", abuse=1.0, held_out=held_out)


def _bounds(span: Any) -> tuple[int, int]:
    return (span, span + 1) if isinstance(span, int) else (span[0], span[1])


def _davidson(data: Path, choose: random.Random) -> Iterator[Example]:
    """Without `offensive`, which is profanity: a head trained on it takes profanity for hate."""
    tweets = [row for row in rows(data, "toxicity") if row["source"] == "davidson"]
    for subtype, label, count in (("hate", 1.0, 1500), ("neither", 0.0, 2500)):
        for row in _sample([row for row in tweets if row["subtype"] == subtype], count, choose):
            yield Example(row["text"], f"davidson_{subtype}", abuse=label, held_out=choose.random() < 0.15)


def _harmful(data: Path, choose: random.Random) -> Iterator[Example]:
    for row in rows(data, "harmful_requests"):
        held_out = choose.random() < 0.15
        yield Example(row["text"], row["source"], harmful_request=1.0, held_out=held_out)


def _clean(text: str, source: str, *, held_out: bool) -> Example:
    return Example(text, source, abuse=0.0, harmful_request=0.0, held_out=held_out)


def _instructions(data: Path, choose: random.Random) -> Iterator[Example]:
    """Many sentences of each: among them are the short orders that look like requests for something harmful."""
    for row in clean_calls(data, "train"):
        for text in (row["prompt"], row["response"]):
            for sentence in _sample(sentences(text), 10, choose):
                # "No" alone is rude to the encoder: short answers weigh as a source of their own
                source = "short_answers" if len(sentence.text) < 20 else "instructions"
                yield _clean(sentence.text, source, held_out=False)


def clean_calls(data: Path, part: Literal["train", "calibrate", "measure"]) -> list[dict[str, Any]]:
    """Instructions and their answers, in three disjoint parts (3 : 1 : 1); a prompt keeps all of its answers."""
    parts = {0: "measure", 1: "calibrate"}
    return [row for row in rows(data, "instructions") if parts.get(sum(row["prompt"].encode()) % 5, "train") == part]


def _other_clean(data: Path, choose: random.Random) -> Iterator[Example]:
    for row in _sample(rows(data, "drift_topic"), 4000, choose):
        yield _clean(row["text"], "clinc", held_out=choose.random() < 0.15)
    for row in _sample(rows(data, "grounded"), 1200, choose):
        held_out = choose.random() < 0.15
        for sentence in _sample(sentences(row["prompt"]), 2, choose):
            yield _clean(sentence.text, "grounded", held_out=held_out)
    for row in _sample(rows(data, "bias"), 2000, choose):
        yield _clean(row["context"], "bbq", held_out=False)
        yield _clean(row["question"], "bbq", held_out=False)


def _documentation(_data: Path, choose: random.Random) -> Iterator[Example]:
    """The language reference; docstrings of modules are left for measuring."""
    texts = [sentence.text for topic in pydoc_data.topics.topics.values() for sentence in sentences(topic)]
    for text in _sample(texts, 1500, choose):
        yield _clean(text, "python_reference", held_out=False)
