"""Unit vectors of texts, on the hardware that is there."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self

import numpy as np
import numpy.typing as npt

from services.shared import model_store
from services.shared.content_cache import ContentCache
from services.shared.engine import Device, Engine, Ids, ModelOptions, opened
from services.shared.token_batches import TokenBatches, ahead
from services.shared.vocabulary import Words, words_of

__all__ = ["Device", "Encoder", "EncoderOptions", "Engine"]

Vectors = npt.NDArray[np.float32]


class EncoderOptions(ModelOptions):
    """Which encoder, where, and how much of the machine it may take; a cached vector has 1.5 KB."""


class Encoder:
    """Texts to unit vectors, with a bounded cache by content.

    Guarantees: the caller's order; the same text gives the same vector to 1e-4 in fp32 and 2e-2 in bf16, whatever
    it is batched with. A text longer than the model takes is the mean of its windows' vectors, weighted by their
    tokens; of a very long text `max_windows` windows spread over it. Not for several threads at once.
    """

    def __init__(
        self, engine: Engine, batches: TokenBatches, model: model_store.ConvertedModel, options: EncoderOptions
    ):
        self.engine = engine
        self.name = model.name
        self.weights_version = model.version  # what heads were trained on
        self.version = options.signed(model.version, engine.precision, model.folder)
        self.dimension = model.dimension
        self._batches = batches
        self._cache: ContentCache[Vectors] = ContentCache(options.cache_entries)
        self._ahead = ThreadPoolExecutor(1, "tokenise")

    @classmethod
    def load(cls, options: EncoderOptions) -> Self:
        """The encoder that `options` describe, warmed up; raises ModelMissingError with the remedy."""
        model = model_store.find(options.model, options.models)
        batches = TokenBatches(
            model.tokenizer, max_tokens=model.max_tokens, budget=options.budget, max_windows=options.max_windows
        )
        engine = opened(options, model.graph, lambda: model_store.module(model.source), window=model.max_tokens)
        encoder = cls(engine, batches, model, options)
        encoder._forward(["warm"])
        return encoder

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors (texts by dimension, fp32, unit length) in the order of `texts`."""
        # Copied: a row of a batch would keep the whole batch for as long as one of its texts is known.
        vectors = self._cache.filled(texts, lambda missing: [row.copy() for row in self._forward(missing)])
        return np.stack(vectors) if vectors else np.empty((0, self.dimension), np.float32)

    def words(self, texts: Sequence[str]) -> list[Words]:
        """How many words of each text the model knows."""
        return words_of(self._batches.tokenizer, texts)

    def inputs(self, texts: Sequence[str]) -> list[tuple[Ids, ...]]:
        """The batches that the engine is given for `texts`."""
        return [(batch.ids, batch.mask) for batch in self._batches.of(texts)]

    def _forward(self, texts: Sequence[str]) -> Vectors:
        sums = np.zeros((len(texts), self.dimension), np.float32)
        for batch in ahead(self._batches.of(texts), self._ahead):
            vectors = self.engine.forward(batch.ids, batch.mask)
            np.add.at(sums, list(batch.texts), vectors * batch.weights[:, None])
        normalised: Vectors = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        return normalised
