"""A model made smaller, and what that costs: speed and outputs before and after, on the same texts."""

import pydoc_data.topics
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from services.shared import classifier_store, int8, model_store
from services.shared.classifier import Classifier, ClassifierOptions, Content, Pair, probabilities
from services.shared.encoder import Encoder, EncoderOptions
from services.shared.engine import Floats, Ids
from services.shared.errors import Unusable
from services.shared.int8 import Int8Difference

if TYPE_CHECKING:
    from services.shared.classifier_store import ConvertedClassifier
    from services.shared.model_store import ConvertedModel
    from services.shared.openvino_engine import OpenVinoEngine

MEBIBYTE = 2**20
RUNS = 3
# Beside the weights of a model: what tells how its texts are cut and its vectors pooled.
_BESIDE = ("tokenizer*", "vocab.txt", "merges.txt", "*.model", "special_tokens_map.json", "sentence_bert_config.json")


class TooFewTextsError(Unusable):
    """A sample is too small to quantise with one half and measure on the other."""


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """A model before or after: how fast, in what precision, how large on disk."""

    precision: str
    texts_per_second: float
    mebibytes: float


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What an optimisation did to a model."""

    model: str
    before: Side
    after: Side
    difference: Int8Difference

    @property
    def faster(self) -> float:
        """How many times as many texts a second."""
        return self.after.texts_per_second / self.before.texts_per_second


@dataclass(frozen=True, kw_only=True)
class Task:
    """Which model, where its conversion lies, and the texts to quantise with and to measure on."""

    source: str
    adapter: Path | None
    models: Path
    sample: Sequence[Content]
    threads: int = 1

    def load(self) -> Encoder | Classifier:
        """The converted model, with an empty cache that keeps nothing."""
        encoder = EncoderOptions(
            model=self.source, models=self.models, threads=self.threads, cache_entries=0, device="cpu"
        )
        if self.is_classifier:
            return Classifier.load(ClassifierOptions(**vars(encoder), adapter=self.adapter))
        return Encoder.load(encoder)

    @property
    def found(self) -> "ConvertedClassifier | ConvertedModel":
        """The conversion on disk; raises ModelMissingError."""
        if self.is_classifier:
            return classifier_store.find(self.source, self.adapter, self.models)
        return model_store.find(self.source, self.models)

    @property
    def contents(self) -> Sequence[Content]:
        """The sample as the model reads it: without contexts, but for models that read them."""
        found = self.found
        if isinstance(found, model_store.ConvertedModel) or (
            self.adapter and found.manifest.interface.kind == "sequence"
        ):
            return _alone(self.sample)
        return self.sample

    @property
    def is_classifier(self) -> bool:
        """Whether it is no encoder: an adapter, or what was converted as a published classifier."""
        if self.adapter:
            return True
        every = (found.manifest for found in classifier_store.converted(self.models))
        return any((manifest.source, manifest.adapter_sha256) == (self.source, "") for manifest in every)


def quantised(task: Task) -> Comparison:
    """The model in 8 bits, put beside its conversion, with its measure.

    One half of the sample tells the ranges, the other is measured on.
    """
    if len(task.sample) < 20:
        raise TooFewTextsError(f"{len(task.sample)} texts are too few to measure on: give 20 or more, 300 are good")
    found, before, after = task.found, task.load(), task.load()
    given, kept_back = task.contents[::2], task.contents[1::2]
    with tempfile.TemporaryDirectory(dir=task.models, prefix=".quantising-") as scratch:
        graph = Path(scratch) / int8.GRAPH
        int8.quantise(found.graph, _inputs(before, given), graph)
        after.engine = _engine(graph, task.threads)
        sides = _sides((before, found.graph), (after, graph), kept_back)
        difference = int8.keep(found.folder, Path(scratch), differing(before, after, kept_back))
    return Comparison(model=found.folder.name, before=sides[0], after=sides[1], difference=difference)


def pruned(task: Task, layers: int, output: Path) -> Comparison:
    """The model's first `layers` layers as a model of its own in `output`, in safetensors, and converted.

    An adapter belongs to the whole encoder: prune first, then train one.
    """
    if task.adapter:
        raise Unusable(
            "an adapter belongs to the encoder that it was trained on: prune that, then train another for it"
        )
    origin = model_store.weights_folder(task.source)
    write_pruned(origin, layers, output, classifier=task.is_classifier)
    smaller = replace(task, source=str(output))
    if task.is_classifier:
        classifier_store.convert(str(output), None, task.models)
    else:
        model_store.convert(str(output), task.models)
    before, after = task.load(), smaller.load()
    sides = _sides((before, task.found.graph), (after, smaller.found.graph), task.contents)
    difference = differing(before, after, task.contents)
    return Comparison(model=str(output), before=sides[0], after=sides[1], difference=difference)


def write_pruned(origin: Path, layers: int, output: Path, *, classifier: bool) -> None:
    """Write the model in `origin` with its first `layers` layers to `output`; raises Unusable where it has fewer."""
    if output.exists() and output.samefile(origin):
        raise Unusable(f"{output} is the model itself, which would be lost: name another folder")
    from services.shared.torch_classifier import PublishedClassifier  # noqa: PLC0415 - 5 seconds and 400 MB
    from services.shared.torch_encoder import keep_layers, loaded  # noqa: PLC0415

    model = PublishedClassifier.load(origin).model if classifier else loaded(origin)
    keep_layers(model, layers)
    model.save_pretrained(output, safe_serialization=True)
    for pattern in _BESIDE:
        for path in origin.glob(pattern):
            shutil.copyfile(path, output / path.name)
    if (origin / "1_Pooling").is_dir():
        shutil.copytree(origin / "1_Pooling", output / "1_Pooling", dirs_exist_ok=True)


def differing(before: Encoder | Classifier, after: Encoder | Classifier, contents: Sequence[Content]) -> Int8Difference:
    """How far apart the two models' outputs are: 1 - cosine of vectors, or the difference of probabilities."""
    one, other = outputs(before, contents), outputs(after, contents)
    by_cosine = isinstance(before, Encoder)
    found = 1 - (one * other).sum(axis=1) if by_cosine else np.abs(one - other).ravel()
    return Int8Difference(
        measure="1 - cosine" if by_cosine else "probability",
        mean=round(float(found.mean()), 6),
        of_99_percent=round(float(np.quantile(found, 0.99)), 6),
        largest=round(float(found.max()), 6),
        texts=len(contents),
    )


def outputs(model: Encoder | Classifier, contents: Sequence[Content]) -> Floats:
    """Vectors, or calibrated probabilities of texts or tokens (rows by heads)."""
    if isinstance(model, Encoder):
        return model.encode(_alone(contents))
    if model.kind == "sequence":
        return probabilities(model.logits(contents), model.heads)
    return probabilities(np.concatenate([found.logits for found in model.token_logits(contents)]), model.heads)


def documentation(count: int) -> list[Content]:
    """Paragraphs of the language's reference, each beside the one before it: prose that every machine has."""
    paragraphs = [" ".join(part.split()) for topic in pydoc_data.topics.topics.values() for part in topic.split("\n\n")]
    long = [paragraph for paragraph in paragraphs if len(paragraph) > 40]
    step = max(1, len(long) // count)
    pairs: list[Content] = [Pair(long[at - 1], long[at]) for at in range(1, len(long), step)]
    return pairs[:count]


def _alone(contents: Sequence[Content]) -> list[str]:
    return [content if isinstance(content, str) else content.text for content in contents]


def _inputs(model: Encoder | Classifier, contents: Sequence[Content]) -> list[tuple[Ids, ...]]:
    return model.inputs(_alone(contents)) if isinstance(model, Encoder) else model.inputs(contents)


def _engine(graph: Path, threads: int) -> "OpenVinoEngine":
    from services.shared.openvino_engine import OpenVinoEngine  # noqa: PLC0415

    return OpenVinoEngine(graph, threads=threads, int8=True)


def _sides(
    before: tuple[Encoder | Classifier, Path], after: tuple[Encoder | Classifier, Path], contents: Sequence[Content]
) -> tuple[Side, Side]:
    """Both measured in turns, so that a busy machine is busy for both."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(RUNS):
        for (model, _), taken in zip((before, after), seconds, strict=True):
            started = time.perf_counter()
            outputs(model, contents)
            taken.append(time.perf_counter() - started)
    first, second = (
        Side(
            precision=model.engine.precision,
            texts_per_second=round(len(contents) / statistics.median(taken), 1),
            mebibytes=round(graph.with_suffix(".bin").stat().st_size / MEBIBYTE, 1),
        )
        for (model, graph), taken in zip((before, after), seconds, strict=True)
    )
    return first, second
