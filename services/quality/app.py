"""Calls and feedback in, quality scores out."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

from schemas.messages import Call, Feedback, Message, Score
from schemas.topics import CALLS, FEEDBACK, SCORES
from services.quality import metrics, text_models
from services.quality.config import Config
from services.quality.late import Judge, Late
from services.quality.model import LateEncoder
from services.quality.quality import QualityScorer
from services.quality.quality.measures import METRICS, WITHOUT_A_MODEL, of_similarity, of_text
from services.quality.quality.similarity import REFERENCE_SIMILARITY
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
    """The pipeline, and beside it what scores late feedback.

    In a replay the stored calls are asked at once: what they lack then will not come.
    """
    opinions = Tail(FEEDBACK, config.opinions)
    store = payload_store(config)

    @cache
    def loaded() -> QualityScorer:
        return scorer(config)

    judge = Judge(Calls(lambda: client(config)), PayloadReader(store).whole, loaded)
    waiting = None if config.replay else _waiting(config)
    score = reading(PayloadReader(store), lambda calls: metrics.SCORES.counted(loaded().score(calls)))
    record = _recorded(waiting, judge)

    def handle(messages: Sequence[Message]) -> Iterator[Message]:
        yield from score([each for each in messages if isinstance(each, Call)])
        if given := [each for each in messages if isinstance(each, Feedback)]:
            yield from record(given)

    pipeline = Pipeline[Message](
        "quality",
        reads=(CALLS, FEEDBACK),
        writes=SCORES,
        handle=handle,
        failed=lambda message, error: metrics.SCORES.counted(_failures(loaded(), message, error)),
        ready=loaded,
        sample=Sampler("quality", config.sampling, opinions),
    )
    return pipeline, [opinions] if waiting is None else [opinions, Late(waiting, judge)]


def scorer(config: Config) -> QualityScorer:
    """The scorer; raises ModelMissingError and `Unusable` with the remedy."""
    try:
        names = chosen(config.metrics, [metric.name for metric in METRICS])
    except ValueError as error:
        raise Unusable(f"TIDEMARK_QUALITY_METRICS: {error}") from error
    given = (*WITHOUT_A_MODEL, *of_text(text_models.load_languages(), text_models.load_surprise()))
    measures = [measure for measure in given if measure.metric.name in names]
    if REFERENCE_SIMILARITY.name in names:
        encoder = LateEncoder(config.encoder)
        measures.append(of_similarity(encoder, encoder.version))
    return QualityScorer(tuple(measures))


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


def _failures(loaded: QualityScorer, message: Message, error: Exception) -> list[Score]:
    return failures(loaded, message, error) if isinstance(message, Call) else []
