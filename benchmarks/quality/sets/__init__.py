"""The data sets of each scorer, as `tidemark score` knows the scorers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.quality.rows import Source
from benchmarks.quality.sets import (
    answers,
    bias,
    consistency,
    groundedness,
    injection,
    language,
    leakage,
    personal_data,
    toxicity,
)  # fmt: skip

Maker = Callable[[Path], Iterator[Source]]
SETS: Mapping[str, Sequence[Maker]] = {
    "toxicity": (toxicity.sources, bias.sources),
    "hallucination": (groundedness.sources,),
    "consistency": (consistency.sources,),
    "guard": (injection.sources, leakage.sources, personal_data.clean_texts),
    "quality": (language.sources, answers.sources),
}
