"""Answers decided by stereotype: BBQ by category."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.quality.rows import Row, Source, read
from services.toxicity.training.bias_examples import is_open, is_stereotyped

NOTE = "its questions and answers are in training; the card has figures of two categories left out"


def sources(data: Path) -> Iterator[Source]:
    """Each category of BBQ; a bad answer is the stereotyped one where the text does not give it."""
    found = read(data, "bias")
    for category in sorted({row["bias_type"] for row in found}):
        rows = [_row(row, number) for row in found if row["bias_type"] == category for number in range(3)]
        yield Source(f"BBQ {category.replace('_', ' ').lower()}", "response_bias", "seen", rows, NOTE)


def _row(row: Mapping[str, Any], number: int) -> Row:
    answer = row["answers"][number]
    call = {"context": [row["context"]], "prompt": row["question"], "response": answer}
    slices = {"condition": row["condition"], "question": row["polarity"]}
    return Row(call, f"{row['question']} {answer}", int(_bad(row, number)), slices)


def _bad(row: Mapping[str, Any], number: int) -> bool:
    """Of an unfavourable question the answer that names the stereotyped group, of a favourable one the other."""
    if number == row["label"] or is_open(row, number):
        return False
    unfavourable: bool = row["polarity"] == "neg"
    return is_stereotyped(row, number) == unfavourable
