"""Calls in, toxicity scores out."""

from collections.abc import Sequence
from functools import cache

from schemas.messages import Call
from schemas.topics import CALLS, FEEDBACK, SCORES
from services.shared.classifier import Classifier
from services.shared.object_store import opened
from services.shared.payload_reader import PayloadReader, reading
from services.shared.pipeline import Pipeline
from services.shared.process import Runtime
from services.shared.sampling import Sampler
from services.shared.scoring import failures
from services.shared.tail import Tail
from services.toxicity import metrics
from services.toxicity.config import Config
from services.toxicity.toxicity import ToxicityScorer


def build(config: Config) -> tuple[Pipeline[Call], Sequence[Runtime]]:
    """The pipeline, and what it knows of feedback; the classifier is loaded before the first batch."""
    opinions = Tail(FEEDBACK, config.opinions)
    payloads = PayloadReader(opened(config.payloads_url, config.data / "payloads"))

    @cache
    def loaded() -> ToxicityScorer:
        return scorer(config)

    pipeline = Pipeline(
        "toxicity",
        reads=CALLS,
        writes=SCORES,
        handle=reading(payloads, lambda calls: metrics.SCORES.counted(loaded().score(calls))),
        failed=lambda call, error: metrics.SCORES.counted(failures(loaded(), call, error)),
        ready=loaded,
        sample=Sampler("toxicity", config.sampling, opinions),
    )
    return pipeline, (opinions,)


def scorer(config: Config) -> ToxicityScorer:
    """The scorer, ready; raises ModelMissingError with the remedy."""
    return ToxicityScorer(Classifier.load(config.classifier))
