"""Calls in, scores of injection, personal data, secrets and leaks out."""

from collections.abc import Sequence
from functools import cache

from schemas.messages import Call
from schemas.topics import CALLS, FEEDBACK, SCORES
from services.guard import injection_model, metrics, model
from services.guard.config import Config
from services.guard.guard import pii, secrets
from services.guard.guard.injection import InjectionScorer
from services.guard.guard.joined import JoinedScorer
from services.guard.guard.leakage import LeakageScorer
from services.guard.guard.tagger import Tagger
from services.shared.encoder import Encoder
from services.shared.object_store import opened
from services.shared.payload_reader import PayloadReader, reading
from services.shared.pipeline import Pipeline
from services.shared.process import Runtime
from services.shared.sampling import Sampler
from services.shared.scoring import failures
from services.shared.tail import Tail


def build(config: Config) -> tuple[Pipeline[Call], Sequence[Runtime]]:
    """The pipeline, and what it knows of feedback; weights and lists are read before the first batch."""
    opinions = Tail(FEEDBACK, config.opinions)
    payloads = PayloadReader(opened(config.payloads_url, config.data / "payloads"))

    @cache
    def loaded() -> JoinedScorer:
        return scorer(config)

    pipeline = Pipeline(
        "guard",
        reads=CALLS,
        writes=SCORES,
        handle=reading(payloads, lambda calls: metrics.SCORES.counted(loaded().score(calls))),
        failed=lambda call, error: metrics.SCORES.counted(failures(loaded(), call, error)),
        ready=loaded,
        sample=Sampler("guard", config.sampling, opinions),
    )
    return pipeline, (opinions,)


def scorer(config: Config) -> JoinedScorer:
    """Every part of guard, ready; `Unusable` with the remedy where a model is missing or a file is wrong."""
    encoder = Encoder.load(config.encoder)
    parts = (
        InjectionScorer(encoder, injection_model.load(config.injection, encoder_version=encoder.version)),
        pii.scorer(Tagger(model.load(config.tagger)), config.pii_kinds.split(",")),
        secrets.scorer(),
        LeakageScorer(model.canaries(config.canaries), model.protected(config.protected_texts)),
    )
    return JoinedScorer(parts, encoder)
