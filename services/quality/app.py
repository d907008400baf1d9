"""Calls and feedback in, quality scores out."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from schemas.messages import Call, Feedback, Message, Score
from schemas.topics import ANSWERS, CALLS, FEEDBACK, SCORES
from services.quality import metrics, text_models
from services.quality.config import Config
from services.quality.late import Judge, Late
from services.quality.model import LateEncoder
from services.quality.quality import QualityScorer
from services.quality.quality.measure import Measure
from services.quality.quality.measures import METRICS, WITHOUT_A_MODEL, of_similarity, of_text
from services.quality.quality.repeats import NON_DETERMINISM, Memory, RepeatScorer
from services.quality.quality.similarity import REFERENCE_SIMILARITY
from services.quality.repeats import failure, fingerprints, fold
from services.quality.store import Calls
from services.quality.waiting import Waiting
from services.shared.clickhouse import client
from services.shared.database import connect, migrate, state_url
from services.shared.errors import Unusable
from services.shared.line_scoring import chosen
from services.shared.object_store import payload_store
from services.shared.payload_reader import PayloadReader, reading
from services.shared.pipeline import Pipeline
from services.shared.process import Runtime, utc_now
from services.shared.sampling import Sampler
from services.shared.scoring import failures
from services.shared.tail import Tail

MIGRATIONS = Path(__file__).parent / "migrations"
Record = Callable[[Sequence[Feedback]], Iterable[Score]]


def build(config: Config) -> tuple[Pipeline[Message], Sequence[Runtime]]:
    """The pipeline, and beside it what scores late feedback and what finds repeated questions.

    In a replay the stored calls are asked at once: what they lack then will not come. Repeats are judged by the order
    in which they first came, which a replay of calls does not have: it leaves them alone.
    """
    opinions = Tail(FEEDBACK, config.opinions)
    store = payload_store(config)

    @cache
    def loaded() -> QualityScorer:
        return scorer(config)

    judge = Judge(Calls(lambda: client(config)), PayloadReader(store).whole, loaded)
    waiting = None if config.replay else _waiting(config)
    record = _recorded(waiting, judge)
    memory = None if config.replay or NON_DETERMINISM.name not in _names(config) else _memory(config)

    def scored(calls: Sequence[Call]) -> Iterator[Message]:
        yield from metrics.SCORES.counted(loaded().score(calls))
        if memory is not None:
            yield from fingerprints(calls, memory)

    score = reading(PayloadReader(store), scored)

    def handle(messages: Sequence[Message]) -> Iterator[Message]:
        yield from score([each for each in messages if isinstance(each, Call)])
        if given := [each for each in messages if isinstance(each, Feedback)]:
            yield from record(given)

    pipeline = Pipeline[Message](
        "quality",
        reads=(CALLS, FEEDBACK),
        writes=(SCORES, ANSWERS),
        handle=handle,
        failed=lambda message, error: metrics.SCORES.counted(_failures(loaded(), memory, message, error)),
        ready=loaded,
        sample=Sampler("quality", config.sampling, opinions),
    )
    beside: list[Runtime] = [opinions] if waiting is None else [opinions, Late(waiting, judge)]
    return pipeline, beside if memory is None else [*beside, fold(memory.records, memory.seconds)]


def scorer(config: Config) -> QualityScorer:
    """The scorer; raises ModelMissingError and `Unusable` with the remedy."""
    names = _names(config)
    given = (*WITHOUT_A_MODEL, *of_text(text_models.load_languages(), text_models.load_surprise()))
    instead = {measure.metric: measure for measure in _causal(config)}
    measures = [instead.get(measure.metric, measure) for measure in given if measure.metric.name in names]
    if REFERENCE_SIMILARITY.name in names:
        encoder = LateEncoder(config.encoder)
        measures.append(of_similarity(encoder, encoder.version))
    return QualityScorer(tuple(measures))


def _causal(config: Config) -> Sequence[Measure]:
    if not config.causal_model:
        return ()
    if not find_spec("torch"):
        raise Unusable(
            "TIDEMARK_QUALITY_CAUSAL_MODEL needs torch: `pip install -e '.[gpu]'` in the checkout, or leave it empty"
        )
    from services.quality import causal  # noqa: PLC0415 - torch, which nothing else here needs

    device = "cuda" if config.encoder.on_cuda else "cpu"
    return causal.measures(causal.CausalModel.load(config.causal_model, device=device))


def repeats(config: Config) -> RepeatScorer:
    """The scorer of repeated questions, where the calls come one after another and not on a topic."""
    return RepeatScorer(config.repeats_records, config.repeats_seconds)


def _names(config: Config) -> list[str]:
    try:
        return chosen(config.metrics, [metric.name for metric in (*METRICS, NON_DETERMINISM)])
    except ValueError as error:
        raise Unusable(f"TIDEMARK_QUALITY_METRICS: {error}") from error


def _memory(config: Config) -> Memory:
    return Memory(config.repeats_records, config.repeats_seconds)


def _waiting(config: Config) -> Waiting:
    engine = connect(state_url(config.data, "quality"))
    migrate(engine, MIGRATIONS)
    return Waiting(engine, config.waiting_bytes, config.waiting_seconds)


def _recorded(waiting: Waiting | None, judge: Judge) -> Record:
    if waiting is None:
        return lambda given: metrics.SCORES.counted(judge.answers(given).scores)

    def record(given: Sequence[Feedback]) -> Iterable[Score]:
        waiting.record(given, utc_now().timestamp())
        return ()

    return record


def _failures(loaded: QualityScorer, memory: Memory | None, message: Message, error: Exception) -> list[Score]:
    if not isinstance(message, Call):
        return []
    of_repeats = [failure(memory.evaluator, message, error)] if memory else []
    return [*failures(loaded, message, error), *of_repeats]
