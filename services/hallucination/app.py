"""Calls in, hallucination scores out."""

from collections.abc import Sequence
from functools import cache

from schemas.messages import Call
from schemas.topics import CALLS, FEEDBACK, SCORES
from services.hallucination import metrics, model
from services.hallucination.config import Config
from services.hallucination.hallucination import HallucinationScorer
from services.shared.encoder import Encoder
from services.shared.object_store import opened
from services.shared.payload_reader import PayloadReader, reading
from services.shared.pipeline import Pipeline
from services.shared.process import Runtime
from services.shared.sampling import Sampler
from services.shared.scoring import failures
from services.shared.tail import Tail


def build(config: Config) -> tuple[Pipeline[Call], Sequence[Runtime]]:
    """The pipeline, and what it knows of feedback; encoder and head are loaded before the first batch."""
    opinions = Tail(FEEDBACK, config.opinions)
    payloads = PayloadReader(opened(config.payloads_url, config.data / "payloads"))

    @cache
    def loaded() -> HallucinationScorer:
        return scorer(config)

    pipeline = Pipeline(
        "hallucination",
        reads=CALLS,
        writes=SCORES,
        handle=reading(payloads, lambda calls: metrics.SCORES.counted(loaded().score(calls))),
        failed=lambda call, error: metrics.SCORES.counted(failures(loaded(), call, error)),
        ready=loaded,
        sample=Sampler("hallucination", config.sampling, opinions),
    )
    return pipeline, (opinions,)


def scorer(config: Config) -> HallucinationScorer:
    """The scorer, ready; raises ModelMissingError with the remedy."""
    encoder = Encoder.load(config.encoder)
    return HallucinationScorer(encoder, model.load(config.head, encoder_version=encoder.version))
