"""Calls in, embeddings out."""

from collections.abc import Iterator, Sequence
from functools import cache

from schemas.messages import Call, Embedding
from schemas.topics import CALLS, EMBEDDINGS, FEEDBACK
from services.embedder import metrics
from services.embedder.config import Config
from services.embedder.embedder import embeddings
from services.shared.encoder import Encoder
from services.shared.object_store import opened
from services.shared.payload_reader import PayloadReader, reading
from services.shared.pipeline import Pipeline
from services.shared.process import Runtime
from services.shared.sampling import Sampler
from services.shared.tail import Tail


def build(config: Config) -> tuple[Pipeline[Call], Sequence[Runtime]]:
    """The pipeline, and what it knows of feedback; the encoder is loaded before the first batch."""
    opinions = Tail(FEEDBACK, config.opinions)
    payloads = PayloadReader(opened(config.payloads_url, config.data / "payloads"))

    @cache
    def encoder() -> Encoder:
        return Encoder.load(config.encoder)

    def handle(calls: Sequence[Call]) -> Iterator[Embedding]:
        for embedding in embeddings(calls, encoder()):
            metrics.EMBEDDINGS.labels(embedding.field).inc()
            yield embedding

    pipeline = Pipeline(
        "embedder",
        reads=CALLS,
        writes=EMBEDDINGS,
        handle=reading(payloads, handle),
        ready=encoder,
        sample=Sampler("embedder", config.sampling, opinions),
    )
    return pipeline, (opinions,)
