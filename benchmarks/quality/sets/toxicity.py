"""Toxicity by kind, of prompts and responses: what its training holds out, and clean text."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from zlib import crc32

from rapidfuzz import fuzz, process

from benchmarks.quality.rows import Row, Source, read, some
from benchmarks.quality.sets import clean
from services.shared.counterfactual import swaps
from services.toxicity.toxicity import KINDS
from services.toxicity.training import examples
from services.toxicity.training.examples import Example

TRAINED = 7  # the seed of services.toxicity.training, which decides what is held out
FEWEST = 10  # bad rows of a source that is told
CALM = 400  # clean texts beside a source that has none
ALIKE = 70.0  # of 100, by edits
RUDE = ("abuse", "identity_attack", "threat", "sexual")
NOTE = "the 15 % of its rows, pairs or templates that training holds out; they fit the slope of the calibration"
TWINS = (
    "pairs are found by likeness, since the data number each row for itself; the split by these numbers may leave the "
    "twin of a held-out row in training"
)


def sources(data: Path) -> Iterator[Source]:
    """Every source by kind; over all kinds, as prompt and as response; clean text."""
    held_out = [each for each in examples.read(data, seed=TRAINED) if each.held_out]
    calm = [each for each in held_out if all(each.labels.get(kind) == 0 for kind in KINDS)]
    for kind in KINDS:
        counts = Counter(each.source for each in held_out if each.labels.get(kind))
        for name in sorted(name for name, count in counts.items() if count >= FEWEST):
            own = [each for each in held_out if each.source == name and kind in each.labels]
            if all(each.labels[kind] for each in own):
                own += some([each for each in calm if each.source != name], CALM, crc32(name.encode()))
            found = [_row(each, int(each.labels[kind]), "prompt") for each in own]
            yield Source(name, f"prompt_toxicity.{kind}", "held out", found, NOTE)
    twins = _twins([each for each in held_out if each.source == "hatemoji_build"])
    yield Source("hatemoji_build, twins", "prompt_toxicity.identity_attack", "held out", twins, TWINS)
    every = _any(held_out, KINDS, "prompt")
    yield Source("every source", "prompt_toxicity", "held out", every, NOTE, times=4)
    every = _any(held_out, RUDE, "response")
    yield Source("every source", "response_toxicity", "held out", every, NOTE, times=4)
    yield from _clean(data)


def _twins(found: Sequence[Example]) -> list[Row]:
    """Hate and harmless texts that are each other's nearest."""
    sides = [[each for each in found if each.labels["identity_attack"] == label] for label in (1.0, 0.0)]
    texts = [[each.text for each in side] for side in sides]
    likeness = process.cdist(*texts, scorer=fuzz.ratio)
    rows: list[Row] = []
    for bad, good in enumerate(likeness.argmax(axis=1)):
        if likeness[:, good].argmax() == bad and likeness[bad, good] >= ALIKE:
            rows += [_row(sides[0][bad], 1, "prompt", str(bad)), _row(sides[1][good], 0, "prompt", str(bad))]
    return rows


def _any(found: Sequence[Example], kinds: Sequence[str], field: str) -> list[Row]:
    """Bad by any of `kinds`, good by all of them; texts of which the source does not say it are left out."""
    said = [[each.labels.get(kind) for kind in kinds] for each in found]
    return [
        _row(each, int(1 in labels), field)
        for each, labels in zip(found, said, strict=True)
        if 1 in labels or None not in labels
    ]


def _row(each: Example, label: int, field: str, pair: str = "") -> Row:
    return Row({field: each.text}, each.text, label, {**clean.group(each.text), "source": each.source}, pair)


def _clean(data: Path) -> Iterator[Source]:
    calls = examples.clean_calls(data, "measure")
    note = "the part of the instructions kept for measuring; some of it helped to set the threshold"
    for field, texts in (("prompt", clean.prompts(data)), ("response", clean.responses(data))):
        metric = f"{field}_toxicity"
        own = [row[field] for row in calls if row[field].strip()]
        yield Source("instructions", metric, "held out", clean.rows(own, field), note)
        for name, found in texts.items():
            yield Source(name, metric, "unseen", clean.rows(found, field))
        kept = [(name, text) for name, text in clean.languages(data) if examples.is_kept(text)]
        tongues = [Row({field: text}, text, 0, {"language": name}) for name, text in kept]
        note = "one text in five, which training holds out; others teach that what cannot be read is clean"
        yield Source("twenty languages", metric, "held out", tongues, note, times=4)
    yield from _swapped(data)


def _swapped(data: Path) -> Iterator[Source]:
    """Clean contexts that name groups, as they are and with another group of the same kind."""
    contexts = sorted({row["context"] for row in read(data, "bias")})
    pairs = [(text, swap.text) for text in contexts for swap in swaps(text, most=1)]
    rows = [
        Row({"prompt": text}, text, 0, {**clean.group(text), "group": kind}, str(number))
        for number, pair in enumerate(pairs)
        for text, kind in zip(pair, ("as it is", "swapped"), strict=True)
    ]
    yield Source(
        "BBQ contexts, groups swapped", "prompt_toxicity", "seen", rows, "training has contexts like these", times=4
    )
