"""Calls in, hallucination scores out."""

from functools import cache

from schemas.messages import Call
from schemas.topics import CALLS, SCORES
from services.hallucination import metrics, model
from services.hallucination.config import Config
from services.hallucination.hallucination import HallucinationScorer
from services.shared.encoder import Encoder
from services.shared.pipeline import Pipeline
from services.shared.scoring import failures


def build(config: Config) -> Pipeline[Call]:
    """The pipeline; encoder and head are loaded before the first batch."""

    @cache
    def loaded() -> HallucinationScorer:
        return scorer(config)

    return Pipeline(
        "hallucination",
        reads=CALLS,
        writes=SCORES,
        handle=lambda calls: metrics.SCORES.counted(loaded().score(calls)),
        failed=lambda call, error: metrics.SCORES.counted(failures(loaded(), call, error)),
        ready=loaded,
    )


def scorer(config: Config) -> HallucinationScorer:
    """The scorer, ready; raises ModelMissingError with the remedy."""
    encoder = Encoder.load(config.encoder)
    return HallucinationScorer(encoder, model.load(config.head, encoder_version=encoder.version))
