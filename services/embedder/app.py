"""Calls in, embeddings out."""

from collections.abc import Iterator, Sequence
from functools import cache

from schemas.messages import Call, Embedding
from schemas.topics import CALLS, EMBEDDINGS
from services.embedder import metrics
from services.embedder.config import Config
from services.embedder.embedder import embeddings
from services.shared.encoder import Encoder
from services.shared.pipeline import Pipeline


def build(config: Config) -> Pipeline[Call]:
    """The pipeline; the encoder is loaded before the first batch."""

    @cache
    def encoder() -> Encoder:
        return Encoder.load(config.encoder)

    def handle(calls: Sequence[Call]) -> Iterator[Embedding]:
        for embedding in embeddings(calls, encoder()):
            metrics.EMBEDDINGS.labels(embedding.field).inc()
            yield embedding

    return Pipeline("embedder", reads=CALLS, writes=EMBEDDINGS, handle=handle, ready=encoder)
