"""Calls in, embeddings out."""

from collections.abc import Iterator, Sequence
from functools import cache

from schemas.messages import Call, Embedding
from schemas.topics import CALLS, EMBEDDINGS, FEEDBACK
from services.embedder import metrics
from services.embedder.config import Config
from services.embedder.embedder import embeddings
from services.shared.encoder import Encoder
from services.shared.pipeline import Pipeline
from services.shared.process import Runtime
from services.shared.sampling import Sampler
from services.shared.tail import Tail


def build(config: Config) -> tuple[Pipeline[Call], Sequence[Runtime]]:
    """The pipeline, and what it knows of feedback; the encoder is loaded before the first batch."""
    opinions = Tail(FEEDBACK, config.opinions)

    @cache
    def encoder() -> Encoder:
        return Encoder.load(config.encoder)

    def handle(calls: Sequence[Call]) -> Iterator[Embedding]:
        for embedding in embeddings(calls, encoder()):
            metrics.EMBEDDINGS.labels(embedding.field).inc()
            yield embedding

    sampler = Sampler("embedder", config.sampling, opinions)
    pipeline = Pipeline("embedder", reads=CALLS, writes=EMBEDDINGS, handle=handle, ready=encoder, sample=sampler)
    return pipeline, (opinions,)
