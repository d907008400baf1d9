"""Calls in, scores of groundedness, consistency and uncertainty out."""

import time
from collections.abc import Callable
from functools import lru_cache
from math import inf
from pathlib import Path

from schemas.topics import CALLS, FEEDBACK, SCORES
from services.hallucination import metrics, model
from services.hallucination.config import Config
from services.hallucination.consistency import ConsistencyScorer
from services.hallucination.detectors import DetectorScorer
from services.hallucination.hallucination import HallucinationScorer, Head
from services.hallucination.judge import BATCH_SECONDS, Budget, JudgeScorer
from services.hallucination.judge_endpoint import ChatEndpoint
from services.hallucination.tagger import ClassifierTagger
from services.hallucination.uncertainty import UncertaintyScorer
from services.shared.classifier import Classifier, ClassifierOptions
from services.shared.encoder import Encoder
from services.shared.model_pipeline import Built, scorer_pipeline
from services.shared.scoring import Scorer
from services.shared.weights import version_of


def build(config: Config) -> Built:
    """The pipeline, and what it knows of feedback; the models are loaded before the first batch."""
    return scorer_pipeline(
        config, lambda: scorers(config), metrics.SCORES, reads=CALLS, writes=SCORES, feedback=FEEDBACK
    )


def scorers(config: Config) -> tuple[Scorer, ...]:
    """Every scorer, ready; raises ModelMissingError with the remedy."""
    always: tuple[Scorer, ...] = (scorer(config), consistency(config), UncertaintyScorer())
    return (*always, judge(config)) if config.judge_url else always


def scorer(config: Config) -> Scorer:
    """The scorer of groundedness, built in or of the user's choice; raises ModelMissingError with the remedy."""
    if config.detector != "builtin":
        from services.hallucination.detector_models import (  # noqa: PLC0415 - torch takes 5 seconds and 400 MB
            TransformerDetector,
        )

        device = "cuda" if config.encoder.on_cuda else "cpu"
        return DetectorScorer(TransformerDetector.load(config.detector, device=device))
    return HallucinationScorer(*groundedness(config.classifier, config.head))


def consistency(config: Config) -> ConsistencyScorer:
    """The scorer of consistency, ready; raises ModelMissingError with the remedy."""
    encoder = Encoder.load(config.encoder)
    tagger, head = groundedness(config.classifier, config.head)
    weights = version_of(config.consistency_head)
    version = f"{encoder.version}+{tagger.version}+{head.version}+{weights}"
    return ConsistencyScorer(encoder, tagger, head, model.load_disagreement(config.consistency_head), version)


@lru_cache(1)
def groundedness(classifier: ClassifierOptions, head: Path) -> tuple[ClassifierTagger, Head]:
    """The token classifier and its head: two scorers share them."""
    tagger = ClassifierTagger(Classifier.load(classifier))
    return tagger, model.load(head, adapter=tagger.weights_version)


def judge(config: Config, *, wait: Callable[[float], None] | None = None) -> JudgeScorer:
    """The judge, at the endpoint that is named; calls beyond the budget `wait`, or have no verdict."""
    endpoint = ChatEndpoint(
        config.judge_url,
        config.judge_model,
        Budget(config.judge_hourly, time.monotonic, wait),
        key=config.judge_key.get_secret_value(),
        timeout=config.judge_timeout_seconds,
    )
    return JudgeScorer(endpoint, config.judge_share, config.judge_threads, inf if wait else BATCH_SECONDS)
