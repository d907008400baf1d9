"""Two answers to one question that say the same or contradict each other."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.quality.baselines import stems
from benchmarks.quality.rows import Baseline, Row, Source
from services.hallucination.training import disagreement

NAMES = {"sentences": "sentences, reworded or twisted", "summedits": "SummEdits, harmless or bad edits"}
NOTE = "the regression that ships is fitted on these pairs; the card has each source by the other"


def sources(data: Path) -> Iterator[Source]:
    """The pairs that training makes, by where they come from."""
    pairs = disagreement.read(data)
    for source, name in NAMES.items():
        rows = [
            Row({"choices": [{"text": pair.one}, {"text": pair.other}]}, f"{pair.one}\n{pair.other}", pair.label)
            for pair in pairs
            if pair.source == source
        ]
        yield Source(name, "consistency", "seen", rows, NOTE, Baseline("stems not shared", _distance), words=False)


def _distance(row: Row) -> float:
    """The share of stems that only one of the two has."""
    one, other = (stems(choice["text"]) for choice in row.call["choices"])
    return len(one ^ other) / max(1, len(one | other))
