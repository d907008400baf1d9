"""Scorers as they ship, loaded once for all tests."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from services.guard import app as guard
from services.guard.config import Config as GuardConfig
from services.guard.guard.joined import JoinedScorer
from services.hallucination import app as hallucination
from services.hallucination.config import Config as HallucinationConfig
from services.hallucination.consistency import ConsistencyScorer
from services.hallucination.hallucination import HallucinationScorer
from services.hallucination.judge import JudgeScorer, Verdict
from services.hallucination.tagger import ADAPTER
from services.hallucination.uncertainty import UncertaintyScorer
from services.latency.latency import LatencyScorer
from services.latency.prices import Prices
from services.quality import app as quality
from services.quality.config import Config as QualityConfig
from services.quality.quality import QualityScorer
from services.quality.quality.repeats import RepeatScorer
from services.shared import classifier_store
from services.shared.classifier import Classifier, ClassifierOptions
from services.shared.encoder import Encoder, EncoderOptions
from services.shared.model_store import BUILTIN, ModelMissingError, find
from services.shared.scoring import Scorer
from services.toxicity.config import BUILTIN as TOXICITY_ADAPTER
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
    """With the adapter that ships; the test is skipped where set-up has not converted it."""
    try:
        return ToxicityScorer(Classifier.load(ClassifierOptions(models=MODELS, adapter=TOXICITY_ADAPTER)))
    except ModelMissingError as missing:
        pytest.skip(str(missing))


def a_hallucination_scorer() -> HallucinationScorer:
    """With the adapter and the head that ship; the test is skipped where set-up has not converted the adapter."""
    try:
        classifier_store.find(BUILTIN, ADAPTER, MODELS)
    except ModelMissingError as missing:
        pytest.skip(str(missing))
    scorer = hallucination.scorer(HallucinationConfig(models=MODELS))
    assert isinstance(scorer, HallucinationScorer)
    return scorer


def a_consistency_scorer() -> ConsistencyScorer:
    """With the head that ships."""
    an_encoder()
    return hallucination.consistency(HallucinationConfig(models=MODELS))


class Echo:
    """A judge that finds the first word unsupported, without an endpoint."""

    model = "echo"

    def ask(self, messages: Sequence[dict[str, str]], until: float) -> Verdict:
        """The verdict."""
        words = messages[1]["content"].rsplit("<response>\n", 1)[1].split()
        return Verdict(tuple(words[:1]), 1 / (1 + len(words)))


def a_judge_scorer() -> JudgeScorer:
    """Every call, by a judge that needs no endpoint."""
    return JudgeScorer(Echo())


def a_quality_scorer() -> QualityScorer:
    """With every measure that ships."""
    an_encoder()
    return quality.scorer(QualityConfig(TIDEMARK_MODELS=MODELS))


def a_repeat_scorer() -> RepeatScorer:
    """That has seen nothing yet."""
    return quality.repeats(QualityConfig(TIDEMARK_MODELS=MODELS))


def a_guard_scorer() -> JoinedScorer:
    """With the tagger that ships, and nothing to give away."""
    an_encoder()
    return guard.scorer(GuardConfig(TIDEMARK_MODELS=MODELS))


SCORERS: Mapping[str, Callable[[], Scorer]] = {
    "latency": a_latency_scorer,
    "toxicity": a_toxicity_scorer,
    "guard": a_guard_scorer,
    "hallucination": a_hallucination_scorer,
    "quality": a_quality_scorer,
    "repeats": a_repeat_scorer,
    "consistency": a_consistency_scorer,
    "uncertainty": UncertaintyScorer,
    "judge": a_judge_scorer,
}


@cache
def shared_scorer(name: str) -> Scorer:
    """One for all tests; its cache of vectors is whatever was scored before."""
    return SCORERS[name]()
