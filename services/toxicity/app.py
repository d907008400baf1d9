"""Calls in, toxicity scores out."""

from schemas.topics import CALLS, FEEDBACK, SCORES
from services.shared.classifier import Classifier
from services.shared.model_pipeline import Built, scorer_pipeline
from services.toxicity import metrics
from services.toxicity.config import Config
from services.toxicity.toxicity import ToxicityScorer


def build(config: Config) -> Built:
    """The pipeline, and what it knows of feedback; the classifier is loaded before the first batch."""
    return scorer_pipeline(
        config, lambda: [scorer(config)], metrics.SCORES, reads=CALLS, writes=SCORES, feedback=FEEDBACK
    )


def scorer(config: Config) -> ToxicityScorer:
    """The scorer, ready; raises ModelMissingError with the remedy."""
    return ToxicityScorer(Classifier.load(config.classifier))
