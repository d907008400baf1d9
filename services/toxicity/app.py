"""Calls in, toxicity scores out."""

from functools import cache

from schemas.messages import Call
from schemas.topics import CALLS, SCORES
from services.shared.encoder import Encoder
from services.shared.pipeline import Pipeline
from services.shared.scoring import failures
from services.toxicity import metrics, model
from services.toxicity.config import Config
from services.toxicity.toxicity import ToxicityScorer


def build(config: Config) -> Pipeline[Call]:
    """The pipeline; encoder and head are loaded before the first batch."""

    @cache
    def loaded() -> ToxicityScorer:
        return scorer(config)

    return Pipeline(
        "toxicity",
        reads=CALLS,
        writes=SCORES,
        handle=lambda calls: metrics.SCORES.counted(loaded().score(calls)),
        failed=lambda call, error: metrics.SCORES.counted(failures(loaded(), call, error)),
        ready=loaded,
    )


def scorer(config: Config) -> ToxicityScorer:
    """The scorer, ready; raises ModelMissingError with the remedy."""
    encoder = Encoder.load(config.encoder)
    return ToxicityScorer(encoder, model.load(config.head, encoder_version=encoder.version))
