"""Toxicity by kind, of prompts and responses: what its training holds out, and clean text."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.quality.rows import Row, Source, read, some
from benchmarks.quality.sets import clean
from services.shared.counterfactual import swaps
from services.toxicity.toxicity import KINDS
from services.toxicity.training import examples
from services.toxicity.training.examples import Example

TRAINED = 7  # the seed of services.toxicity.training, which decides what is held out
FEWEST = 10  # bad rows of a source that is told
CALM = 400  # clean texts beside a source that has none
RUDE = ("abuse", "identity_attack", "threat", "sexual")
NOTE = "the 15 % of its rows, pairs or templates that training holds out; they fit the slope of the calibration"


def sources(data: Path) -> Iterator[Source]:
    """Every source by kind; over all kinds, as prompt and as response; clean text."""
    held_out = [each for each in examples.read(data, seed=TRAINED) if each.held_out]
    contrast = {row["text"]: row for row in read(data, "toxicity_contrast")}
    calm = [each for each in held_out if all(each.labels.get(kind) == 0 for kind in KINDS)]
    for kind in KINDS:
        counts = Counter(each.source for each in held_out if each.labels.get(kind))
        for name in sorted(name for name, count in counts.items() if count >= FEWEST):
            own = [each for each in held_out if each.source == name and kind in each.labels]
            if all(each.labels[kind] for each in own):
                own += some([each for each in calm if each.source != name], CALM)
            found = [_row(each, int(each.labels[kind]), contrast, "prompt") for each in own]
            yield Source(name, f"prompt_toxicity.{kind}", "held out", found, NOTE)
    yield Source("every source", "prompt_toxicity", "held out", _any(held_out, KINDS, contrast, "prompt"), NOTE)
    yield Source("every source", "response_toxicity", "held out", _any(held_out, RUDE, contrast, "response"), NOTE)
    yield from _clean(data)


def _any(found: Sequence[Example], kinds: Sequence[str], contrast: dict[str, Any], field: str) -> list[Row]:
    """Bad by any of `kinds`, good by all of them; texts of which the source does not say it are left out."""
    said = [[each.labels.get(kind) for kind in kinds] for each in found]
    return [
        _row(each, int(1 in labels), contrast, field)
        for each, labels in zip(found, said, strict=True)
        if 1 in labels or None not in labels
    ]


def _row(each: Example, label: int, contrast: dict[str, Any], field: str) -> Row:
    pair = contrast.get(each.text, {}).get("pair", "")
    slices = {**clean.group(each.text), "source": each.source}
    return Row({field: each.text}, each.text, label, slices, str(pair))


def _clean(data: Path) -> Iterator[Source]:
    calls = examples.clean_calls(data, "measure")
    note = "the part of the instructions kept for measuring; some of it helped to set the threshold"
    for field, texts in (("prompt", clean.prompts(data)), ("response", clean.responses(data))):
        metric = f"{field}_toxicity"
        own = [row[field] for row in calls if row[field].strip()]
        yield Source("instructions", metric, "held out", clean.rows(own, field), note)
        for name, found in texts.items():
            yield Source(name, metric, "unseen", clean.rows(found, field))
        tongues = [Row({field: text}, text, 0, {"language": name}) for name, text in clean.languages(data)]
        yield Source("twenty languages", metric, "unseen", tongues, "trained on English alone")
    yield from _swapped(data)


def _swapped(data: Path) -> Iterator[Source]:
    """Clean contexts that name groups, as they are and with another group of the same kind."""
    contexts = sorted({row["context"] for row in read(data, "bias")})
    pairs = [(text, swap.text) for text in contexts for swap in swaps(text, most=1)]
    rows = [
        Row({"prompt": text}, text, 0, {"group": kind}, str(number))
        for number, pair in enumerate(pairs)
        for text, kind in zip(pair, ("as it is", "swapped"), strict=True)
    ]
    yield Source("BBQ contexts, groups swapped", "prompt_toxicity", "seen", rows, "training has contexts like these")
