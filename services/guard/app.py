"""Calls in, scores of injection, personal data, secrets and leaks out."""

from schemas.topics import CALLS, FEEDBACK, SCORES
from services.guard import injection_model, metrics, model
from services.guard.config import Config
from services.guard.guard import pii, secrets
from services.guard.guard.injection import InjectionScorer
from services.guard.guard.joined import JoinedScorer
from services.guard.guard.leakage import LeakageScorer
from services.guard.guard.tagger import Tagger
from services.guard.presidio import Presidio
from services.shared.encoder import Encoder
from services.shared.model_pipeline import Built, scorer_pipeline


def build(config: Config) -> Built:
    """The pipeline, and what it knows of feedback; weights and lists are read before the first batch."""
    return scorer_pipeline(
        config, lambda: [scorer(config)], metrics.SCORES, reads=CALLS, writes=SCORES, feedback=FEEDBACK
    )


def scorer(config: Config) -> JoinedScorer:
    """Every part of guard, ready; `Unusable` with the remedy where a model is missing or a file is wrong."""
    encoder = Encoder.load(config.encoder)
    parts = (
        InjectionScorer(encoder, injection_model.load(config.injection, encoder_version=encoder.weights_version)),
        pii.scorer(finder(config), config.pii_kinds.split(",")),
        secrets.scorer(),
        LeakageScorer(model.canaries(config.canaries), model.protected(config.protected_texts)),
    )
    return JoinedScorer(parts, encoder)


def finder(config: Config) -> pii.Finder:
    """What looks for personal data; `Unusable` with the remedy where it cannot be had."""
    if config.presidio:
        return Presidio.load(config.presidio)
    return pii.BuiltIn(Tagger(model.load(config.tagger)))
