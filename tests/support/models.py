"""Scorers as they ship, loaded once for all tests."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import pytest

from services.guard import injection_model
from services.guard.guard.injection import InjectionScorer
from services.hallucination import model as hallucination
from services.hallucination.hallucination import HallucinationScorer
from services.latency.latency import LatencyScorer
from services.latency.prices import Prices
from services.shared.encoder import Encoder, EncoderOptions
from services.shared.model_store import BUILTIN, ModelMissingError, find
from services.shared.scoring import Scorer
from services.toxicity import model as toxicity
from services.toxicity.toxicity import ToxicityScorer

MODELS = Path(__file__).parents[2] / "models"


def an_encoder() -> Encoder:
    """The built-in encoder with an empty cache; the test is skipped where set-up has not converted it."""
    try:
        find(BUILTIN, MODELS)
    except ModelMissingError as missing:
        pytest.skip(str(missing))
    return Encoder.load(EncoderOptions(models=MODELS))


def a_latency_scorer() -> LatencyScorer:
    """With the price list that ships."""
    return LatencyScorer(Prices.load())


def a_toxicity_scorer() -> ToxicityScorer:
    """With the head that ships."""
    encoder = an_encoder()
    return ToxicityScorer(encoder, toxicity.load(toxicity.BUILTIN, encoder_version=encoder.version))


def a_hallucination_scorer() -> HallucinationScorer:
    """With the head that ships."""
    encoder = an_encoder()
    return HallucinationScorer(encoder, hallucination.load(hallucination.BUILTIN, encoder_version=encoder.version))


def an_injection_scorer() -> InjectionScorer:
    """With the heads that ship."""
    encoder = an_encoder()
    return InjectionScorer(encoder, injection_model.load(encoder_version=encoder.version))


SCORERS: Mapping[str, Callable[[], Scorer]] = {
    "latency": a_latency_scorer,
    "toxicity": a_toxicity_scorer,
    "hallucination": a_hallucination_scorer,
    "injection": an_injection_scorer,
}


@cache
def shared_scorer(name: str) -> Scorer:
    """One for all tests; its cache of vectors is whatever was scored before."""
    return SCORERS[name]()
