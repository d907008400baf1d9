"""Scorers as they ship, loaded once for all tests."""

from functools import cache
from pathlib import Path

import pytest

from services.shared.encoder import Encoder, EncoderOptions
from services.shared.model_store import BUILTIN, ModelMissingError, find
from services.shared.scoring import Scorer

MODELS = Path(__file__).parents[2] / "models"
SCORERS = ("latency", "toxicity", "hallucination")


def load(name: str, *, fresh: bool = False) -> Scorer:
    """The scorer of that name; `fresh` ones share no cache of vectors with any other."""
    return _scorer.__wrapped__(name) if fresh else _scorer(name)


@cache
def _scorer(name: str) -> Scorer:
    if name == "latency":
        from services.latency.latency import LatencyScorer
        from services.latency.prices import Prices

        return LatencyScorer(Prices.load())
    if name == "toxicity":
        from services.toxicity import model as toxicity
        from services.toxicity.toxicity import ToxicityScorer

        encoder = an_encoder()
        return ToxicityScorer(encoder, toxicity.load(toxicity.BUILTIN, encoder_version=encoder.version))
    from services.hallucination import model as hallucination
    from services.hallucination.hallucination import HallucinationScorer

    encoder = an_encoder()
    return HallucinationScorer(encoder, hallucination.load(hallucination.BUILTIN, encoder_version=encoder.version))


def an_encoder() -> Encoder:
    """The built-in encoder with an empty cache; the test is skipped where set-up has not converted it."""
    try:
        find(BUILTIN, MODELS)
    except ModelMissingError as missing:
        pytest.skip(str(missing))
    return Encoder.load(EncoderOptions(models=MODELS))
