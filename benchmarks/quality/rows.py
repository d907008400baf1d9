"""Labelled calls, and the sources that they come from."""

import gzip
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

SEED = 7
# unseen: nothing that ships has learnt from the source. held out: rows, documents or templates were left out of
# training, others of the source were not. seen: something that ships has learnt from these rows or their like.
Standing = Literal["unseen", "held out", "seen"]


@dataclass(frozen=True)
class Row:
    """A call as `tidemark score` reads it, the text of it that is judged, and 1 where it is of the bad class.

    `slices` names the parts that it is measured in, too; `pair` is shared by rows that differ in little but the label.
    """

    call: Mapping[str, Any]
    text: str
    label: int
    slices: Mapping[str, str] = field(default_factory=dict)
    pair: str = ""


@dataclass(frozen=True)
class Baseline:
    """A value without a model that ranks rows, too."""

    name: str
    value: Callable[[Row], float]


@dataclass(frozen=True)
class Source:
    """Rows of one origin for one metric, and how the weights that ship stand to them.

    Rows of one class only are measured by their flags. `words`: whether TF-IDF of the text could tell the classes.
    `times` as many rows are taken where it is the slices that tell something.
    """

    name: str
    metric: str
    standing: Standing
    rows: Sequence[Row]
    note: str = ""
    baseline: Baseline | None = None
    words: bool = True
    times: int = 1

    def of_most(self, most: int) -> "Source":
        """The source with at most about `times` times `most` rows, the same ones each time.

        Pairs are not torn apart. Classes keep their shares, but none gets less than a fifth where it has more.
        """
        most *= self.times
        units: dict[str, list[Row]] = {}
        for number, row in enumerate(self.rows):
            units.setdefault(row.pair or str(number), []).append(row)
        bad = [unit for unit in units.values() if any(row.label for row in unit)]
        good = [unit for unit in units.values() if not any(row.label for row in unit)]
        share = sum(map(len, bad)) / max(1, len(self.rows))
        wanted = min(max(round(share * most), most // 5), most - most // 5) if bad and good else most
        kept = [*_whole(bad, wanted if good else most), *_whole(good, most - wanted if bad else most)]
        return replace(self, rows=kept)


def _whole(units: Sequence[Sequence[Row]], most: int) -> list[Row]:
    kept: list[Row] = []
    for unit in some(units, len(units)):
        if len(kept) < most:
            kept += unit
    return kept


def read(data: Path, name: str) -> list[dict[str, Any]]:
    """The rows of one gzip'ed JSON-lines file."""
    with gzip.open(data / f"{name}.jsonl.gz", "rt") as file:
        return [json.loads(line) for line in file]


def some(found: Sequence[Any], most: int, seed: int = SEED) -> list[Any]:
    """At most `most` of them, the same ones each time."""
    return random.Random(seed).sample(list(found), min(most, len(found)))


def distinct(texts: Sequence[str]) -> list[str]:
    """The texts that say something, once each, in order."""
    return list(dict.fromkeys(text for text in texts if text.strip()))
