"""Calls in, embeddings out."""

from collections.abc import Iterator, Sequence

from schemas.messages import Call, Embedding
from schemas.topics import CALLS, EMBEDDINGS, FEEDBACK
from services.embedder import metrics
from services.embedder.config import Config
from services.embedder.embedder import embeddings
from services.shared.encoder import Encoder
from services.shared.model_pipeline import Built, model_pipeline


def build(config: Config) -> Built:
    """The pipeline, and what it knows of feedback; the encoder is loaded before the first batch."""
    return model_pipeline(
        config,
        lambda: Encoder.load(config.encoder),
        handle=_counted,
        reads=CALLS,
        writes=EMBEDDINGS,
        feedback=FEEDBACK,
    )


def _counted(encoder: Encoder, calls: Sequence[Call]) -> Iterator[Embedding]:
    for embedding in embeddings(calls, encoder):
        metrics.EMBEDDINGS.labels(embedding.field).inc()
        yield embedding
