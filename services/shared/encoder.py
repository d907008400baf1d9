"""Unit vectors of texts, on the hardware that is there."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Literal, Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt

from services.shared import model_store
from services.shared.openvino_engine import OpenVinoEngine
from services.shared.token_batches import Batch, TokenBatches

Vectors = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]
Device = Literal["auto", "cpu", "cuda"]
T = TypeVar("T")

NVIDIA = Path("/proc/driver/nvidia/gpus")


class Engine(Protocol):
    """One forward pass, in some precision on some device."""

    precision: str

    @property
    def name(self) -> str:
        """Engine and device, for people."""

    def forward(self, ids: Ids, mask: Ids) -> Vectors:
        """Unit vectors of padded token ids (texts by tokens)."""


@dataclass(frozen=True, kw_only=True)
class EncoderOptions:
    """Which encoder, where, and how much of the machine it may take."""

    model: str = model_store.BUILTIN  # or a directory, or hf:OWNER/NAME
    models: Path = Path("models")
    device: Device = "auto"
    threads: int = 1
    batch_tokens: int = 1024  # measured best on CPUs: benchmarks/embedding_rate.py
    max_windows: int = 16  # of one text: 4,096 tokens
    cache_entries: int = 8192  # 1.5 KB each

    @property
    def on_cuda(self) -> bool:
        """Whether a GPU is used; torch is imported only where the driver shows one or `cuda` asks for it."""
        return self.device == "cuda" or (self.device == "auto" and NVIDIA.is_dir() and any(NVIDIA.iterdir()))


class Encoder:
    """Texts to unit vectors, with a bounded cache by content.

    Guarantees: the caller's order; the same text gives the same vector to 1e-4 in fp32 and 2e-2 in bf16, whatever
    it is batched with. A text longer than the model takes is the mean of its windows' vectors, weighted by their
    tokens; of a very long text `max_windows` windows spread over it. Not for several threads at once.
    """

    def __init__(self, engine: Engine, batches: TokenBatches, model: model_store.ConvertedModel, *, entries: int):
        self.engine = engine
        self.name = model.name
        self.version = model.version
        self.dimension = model.dimension
        self._batches = batches
        self._entries = entries
        self._cache: OrderedDict[bytes, Vectors] = OrderedDict()
        self._ahead = ThreadPoolExecutor(1, "tokenise")

    @classmethod
    def load(cls, options: EncoderOptions) -> Self:
        """The encoder that `options` describe, warmed up; raises ModelMissingError with the remedy."""
        model = model_store.find(options.model, options.models)
        batches = TokenBatches(
            model.tokenizer,
            max_tokens=model.max_tokens,
            budget=options.batch_tokens * (64 if options.on_cuda else 1),
            max_windows=options.max_windows,
        )
        encoder = cls(_engine(options, model), batches, model, entries=options.cache_entries)
        encoder._forward(["warm"])
        return encoder

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors (texts by dimension, fp32, unit length) in the order of `texts`."""
        keys = [blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in texts]
        known = {key: self._cache[key] for key in keys if key in self._cache}
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if missing:
            known.update(zip(missing, self._forward(list(missing.values())), strict=True))
        self._remember(known)
        return np.stack([known[key] for key in keys]) if keys else np.empty((0, self.dimension), np.float32)

    def _remember(self, vectors: dict[bytes, Vectors]) -> None:
        for key, vector in vectors.items():
            self._cache[key] = vector
            self._cache.move_to_end(key)
        while len(self._cache) > self._entries:
            self._cache.popitem(last=False)

    def _forward(self, texts: Sequence[str]) -> Vectors:
        sums = np.zeros((len(texts), self.dimension), np.float32)
        for batch in self._tokenised_ahead(texts):
            vectors = self.engine.forward(batch.ids, batch.mask)
            np.add.at(sums, list(batch.texts), vectors * batch.weights[:, None])
        normalised: Vectors = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        return normalised

    def _tokenised_ahead(self, texts: Sequence[str]) -> Iterator[Batch]:
        """The batches of `texts`, the next one made while the caller works on this one."""
        batches = self._batches.of(texts)
        future = self._ahead.submit(next, batches, None)
        while batch := future.result():
            future = self._ahead.submit(next, batches, None)
            yield batch


def _engine(options: EncoderOptions, model: model_store.ConvertedModel) -> Engine:
    if not options.on_cuda:
        return OpenVinoEngine(model.graph, threads=options.threads)
    from services.shared.torch_encoder import TorchEngine  # noqa: PLC0415 - 5 seconds and 400 MB that CPUs need not pay

    return TorchEngine(model_store.weights_folder(model.source))
