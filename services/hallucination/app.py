"""Calls in, scores of groundedness, consistency and uncertainty out."""

from collections.abc import Sequence
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path

from schemas.messages import Call
from schemas.topics import CALLS, FEEDBACK, SCORES
from services.hallucination import metrics, model
from services.hallucination.config import Config
from services.hallucination.consistency import ConsistencyScorer
from services.hallucination.detectors import DetectorScorer
from services.hallucination.hallucination import HallucinationScorer, Head
from services.hallucination.judge import JudgeScorer
from services.hallucination.judge_endpoint import ChatEndpoint
from services.hallucination.tagger import ClassifierTagger
from services.hallucination.uncertainty import UncertaintyScorer
from services.shared.classifier import Classifier, ClassifierOptions
from services.shared.encoder import Encoder
from services.shared.object_store import opened
from services.shared.payload_reader import PayloadReader, reading
from services.shared.pipeline import Pipeline
from services.shared.process import Runtime
from services.shared.sampling import Sampler
from services.shared.scoring import Scorer, failures
from services.shared.tail import Tail


def build(config: Config) -> tuple[Pipeline[Call], Sequence[Runtime]]:
    """The pipeline, and what it knows of feedback; the models are loaded before the first batch."""
    opinions = Tail(FEEDBACK, config.opinions)
    payloads = PayloadReader(opened(config.payloads_url, config.data / "payloads"))

    @cache
    def loaded() -> tuple[Scorer, ...]:
        return scorers(config)

    pipeline = Pipeline(
        "hallucination",
        reads=CALLS,
        writes=SCORES,
        handle=reading(
            payloads,
            lambda calls: metrics.SCORES.counted(score for scorer in loaded() for score in scorer.score(calls)),
        ),
        failed=lambda call, error: metrics.SCORES.counted(
            score for scorer in loaded() for score in failures(scorer, call, error)
        ),
        ready=loaded,
        sample=Sampler("hallucination", config.sampling, opinions),
    )
    return pipeline, (opinions,)


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
    weights = sha256(config.consistency_head.read_bytes()).hexdigest()[:12]
    version = f"{encoder.version}+{tagger.version}+{head.version}+{weights}"
    return ConsistencyScorer(encoder, tagger, head, model.load_disagreement(config.consistency_head), version)


@lru_cache(1)
def groundedness(classifier: ClassifierOptions, head: Path) -> tuple[ClassifierTagger, Head]:
    """The token classifier and its head: two scorers share them."""
    tagger = ClassifierTagger(Classifier.load(classifier))
    return tagger, model.load(head, adapter=tagger.version)


def judge(config: Config) -> JudgeScorer:
    """The judge, at the endpoint that is named."""
    endpoint = ChatEndpoint(
        config.judge_url,
        config.judge_model,
        key=config.judge_key.get_secret_value(),
        an_hour=config.judge_hourly,
        timeout=config.judge_timeout_seconds,
    )
    return JudgeScorer(endpoint, config.judge_share, config.judge_threads)
