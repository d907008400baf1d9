"""Responses in another language than the prompt, and text that is none."""

import random
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.quality.rows import SEED, Baseline, Row, Source, distinct, read
from benchmarks.quality.sets import clean
from services.quality.training.gibberish import keyboard_mash, shuffled_letters

LENGTHS = (20, 40, 80, 1000)
PAIRS = 3000
LEARNT = "both models have learnt from these texts; the card has figures of texts held out"
Texts = Mapping[str, list[str]]


def sources(data: Path) -> Iterator[Source]:
    """Mismatch by the length of the response; surprise by gibberish; clean pairs and texts."""
    texts: dict[str, list[str]] = {}
    for name, text in clean.languages(data):
        texts.setdefault(name, []).append(text)
    beside = Baseline("letter triples not shared", _distance)
    for length in LENGTHS:
        rows = list(_pairs(texts, length))
        name = f"first {length:,} characters"
        yield Source(name, "language_mismatch", "seen", rows, LEARNT, beside, words=False)
    answered = [row for row in read(data, "model_versions") if row["response"].strip()]
    pairs = [Row({"prompt": row["prompt"], "response": row["response"]}, row["response"], 0) for row in answered]
    yield Source("answers of models", "language_mismatch", "unseen", pairs, "some were asked to translate")
    tongues = [Row({"response": text}, text, 0, {"language": name}) for name, text in clean.languages(data)]
    yield Source("twenty languages", "text_surprise", "seen", tongues, LEARNT, times=4)
    yield Source("gibberish", "text_surprise", "unseen", list(_gibberish(data)), "clean texts are answers of models")


def _pairs(texts: Texts, length: int) -> Iterator[Row]:
    """Half of the responses in another language."""
    choose = random.Random(SEED)
    names = sorted(texts)
    for number in range(PAIRS):
        name = choose.choice(names)
        other = choose.choice([each for each in names if each != name]) if number % 2 else name
        call = {"prompt": choose.choice(texts[name]), "response": choose.choice(texts[other])[:length]}
        yield Row(call, call["response"], number % 2, {"language": name})


def _gibberish(data: Path) -> Iterator[Row]:
    choose = random.Random(SEED)
    found = [row["response"] for row in read(data, "model_versions") if len(row["response"]) > 40]
    for text in distinct(found):
        bad = shuffled_letters(text, choose) if choose.random() < 0.5 else keyboard_mash(len(text), choose)
        yield from (Row({"response": each}, each, label) for each, label in ((text, 0), (bad, 1)))


def _distance(row: Row) -> float:
    one, other = (_triples(row.call[field]) for field in ("prompt", "response"))
    return 1 - len(one & other) / max(1, len(other))


def _triples(text: str) -> set[str]:
    return {text[at : at + 3] for at in range(max(1, len(text) - 2))}
