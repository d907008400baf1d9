"""Log-odds of texts, of pairs and of tokens, on the hardware that is there."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from services.shared import classifier_store
from services.shared.adapter import Head
from services.shared.classifier_store import ConvertedClassifier
from services.shared.content_cache import ContentCache
from services.shared.engine import Engine, Floats, Ids, ModelOptions, opened
from services.shared.token_batches import Batch, Piece, ahead, batches
from services.shared.windows import Content, Pair, Spans, Windows

__all__ = ["Classifier", "ClassifierOptions", "Content", "Pair", "TokenLogits", "probabilities"]


@dataclass(frozen=True, kw_only=True)
class ClassifierOptions(ModelOptions):
    """Which classifier, where, and how much of the machine it may take.

    With an `adapter`, `model` is the encoder that it changes; without, a directory or hf:OWNER/NAME of a published
    classifier of sequences or tokens. A cached text takes 0.2 KB and 4 bytes a head.
    """

    adapter: Path | None = None
    window_tokens: int = 1024  # of one window at most: attention takes memory by its square

    @property
    def named(self) -> str:
        """The model as commands take it."""
        return str(self.adapter) if self.adapter else self.model


@dataclass(frozen=True)
class TokenLogits:
    """Log-odds of each token of a text (tokens by heads), and the characters of each (tokens by 2, end exclusive)."""

    spans: Spans
    logits: Floats


class Classifier:
    """Texts, alone or beside a context, to log-odds: one for each head, or one for each head and token.

    Guarantees: the caller's order; the same text gives the same probability to 1e-4 in fp32, 2e-2 in bf16 and 5e-2 in
    int8, whatever it is batched with. All heads come of one forward pass. What is longer than the model takes is read
    in windows, at most `max_windows` of a text, and each head says how theirs become one. A classifier of texts keeps
    what it has seen, by content. Not for several threads at once.
    """

    def __init__(self, engine: Engine, model: ConvertedClassifier, options: ClassifierOptions) -> None:
        self.engine = engine
        self.name = model.manifest.name
        self.weights_version = model.version  # what heads were trained on
        self.version = options.signed(model.version, engine.precision, model.folder)
        self.heads = model.manifest.interface.heads
        self.kind = model.manifest.interface.kind
        self.max_tokens = min(model.manifest.interface.max_tokens, options.window_tokens)
        self._interface = model.manifest.interface
        self._budget = options.budget
        self._windows = Windows(model.tokenizer, max_tokens=self.max_tokens, max_windows=options.max_windows)
        self._cache: ContentCache[Floats] = ContentCache(options.cache_entries)
        self._ahead = ThreadPoolExecutor(1, "tokenise")

    @classmethod
    def load(cls, options: ClassifierOptions) -> Self:
        """The classifier that `options` describe, warmed up; raises ModelMissingError with the remedy."""
        model = classifier_store.find(options.model, options.adapter, options.models)
        module = lambda: classifier_store.module(options.model, options.adapter)  # noqa: E731
        window = min(model.manifest.interface.max_tokens, options.window_tokens)
        classifier = cls(opened(options, model.graph, module, window=window), model, options)
        classifier._forward(["warm", Pair("warm", "up")])
        return classifier

    def logits(self, contents: Sequence[Content]) -> Floats:
        """Log-odds (contents by heads) in the order of `contents`; for heads over whole texts."""
        if self.kind != "sequence":
            raise TypeError(f"{self.name} labels tokens: ask for token_logits")
        rows = self._cache.filled(contents, lambda missing: [rows[0] for _, rows in self._forward(missing)])
        return np.stack(rows) if rows else np.empty((0, len(self.heads)), np.float32)

    def token_logits(self, contents: Sequence[Content]) -> list[TokenLogits]:
        """Log-odds of the tokens of each text, in the order of `contents`; for heads over tokens.

        Of a text longer than `max_windows` windows, only tokens inside one are there.
        """
        if self.kind != "token":
            raise TypeError(f"{self.name} labels whole texts: ask for logits")
        return [TokenLogits(spans, logits) for spans, logits in self._forward(contents)]

    def tokens(self, texts: Sequence[str]) -> list[Spans]:
        """The characters of each token of each text: what has to fit into `max_tokens`, special tokens aside."""
        return self._windows.spans(texts)

    def known(self, texts: Sequence[str]) -> list[str]:
        """Each text without what the model does not know, which it judges by chance."""
        return self._windows.known(texts)

    def inputs(self, contents: Sequence[Content]) -> list[tuple[Ids, ...]]:
        """The batches that the engine is given for `contents`."""
        return [self._given(batch) for batch in self._batches(contents, {})]

    def _forward(self, contents: Sequence[Content]) -> list[tuple[Spans, Floats]]:
        spans: dict[int, Spans] = {}
        gathered: dict[int, _Gathered] = {}
        for batch in ahead(self._batches(contents, spans), self._ahead):
            outputs = self.engine.forward(*self._given(batch))
            for piece, rows in zip(batch.pieces, outputs, strict=True):
                size = len(spans[piece.text]) if self.kind == "token" else 1
                gathered.setdefault(piece.text, _Gathered(size, self.heads)).add(piece, rows)
        return [(spans[number], gathered[number].logits()) for number in range(len(contents))]

    def _batches(self, contents: Sequence[Content], spans: dict[int, Spans]) -> Iterator[Batch]:
        """The batches of `contents`; `spans` gets the characters of what each judges before its last batch comes."""

        def pieces(numbers: Sequence[int]) -> list[Piece]:
            found, judged = self._windows.of(numbers, contents)
            spans.update(judged)
            return found

        lengths = [len(content) if isinstance(content, str) else sum(map(len, content)) for content in contents]
        return batches(lengths, pieces, budget=self._budget, pad=self._interface.pad_token)

    def _given(self, batch: Batch) -> tuple[Ids, ...]:
        return (batch.ids, batch.mask, batch.types)[: len(self._interface.inputs)]


class _Gathered:
    """The log-odds of one text, as its windows come in."""

    def __init__(self, size: int, heads: Sequence[Head]) -> None:
        self._heads = heads
        self._highest = np.full((size, len(heads)), -np.inf, np.float32)
        self._lowest = np.full((size, len(heads)), np.inf, np.float32)
        self._sum = np.zeros((size, len(heads)), np.float32)
        self._windows = np.zeros((size, 1), np.float32)

    def add(self, piece: Piece, outputs: Floats) -> None:
        """Take what the model made of one window: one row of heads, or one for each token of the row."""
        rows = outputs[None] if outputs.ndim == 1 else outputs[piece.first : piece.first + piece.judged]
        at = slice(None) if outputs.ndim == 1 else slice(piece.at, piece.at + piece.judged)
        self._highest[at] = np.maximum(self._highest[at], rows)
        self._lowest[at] = np.minimum(self._lowest[at], rows)
        self._sum[at] += rows
        self._windows[at] += 1

    def logits(self) -> Floats:
        """Each head's log-odds over all windows."""
        by = {"max": self._highest, "min": self._lowest, "mean": self._sum / self._windows}
        columns = [by[head.over][:, column] for column, head in enumerate(self._heads)]
        return np.stack(columns, axis=1)


def probabilities(logits: Floats, heads: Sequence[Head]) -> Floats:
    """Calibrated probabilities of log-odds whose last axis is `heads`."""
    slopes = np.array([head.slope for head in heads], np.float32)
    intercepts = np.array([head.intercept for head in heads], np.float32)
    odds = np.clip(slopes * logits + intercepts, -80, 80)
    found: Floats = 1 / (1 + np.exp(-odds))
    return found
