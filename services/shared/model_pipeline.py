"""Whole calls in, what a model makes of them out: how services with a model are wired."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, TypeVar

from schemas.messages import Call, Feedback, Message, Score
from schemas.topics import Topic
from services.shared.object_store import payload_store
from services.shared.payload_reader import PayloadReader, reading
from services.shared.pipeline import Pipeline
from services.shared.process import Runtime
from services.shared.sampling import Sampler
from services.shared.sampling_settings import SamplingSettings
from services.shared.score_counter import ScoreCounter
from services.shared.scoring import Scorer, failures
from services.shared.tail import Tail

T = TypeVar("T")
Built = tuple[Pipeline[Call], Sequence[Runtime]]


def model_pipeline(
    config: SamplingSettings,
    load: Callable[[], T],
    *,
    handle: Callable[[T, Sequence[Call]], Iterable[Message]],
    failed: Callable[[T, Call, Exception], Iterable[Message]] = lambda *_: (),
    reads: Topic[Call],
    writes: Topic[Any],
    feedback: Topic[Feedback],
) -> Built:
    """The pipeline of the service whose settings these are, and what runs beside it.

    What `load` gives is made once, before the first batch, and handed to `handle` with calls that are whole again.
    While the service is behind, a sample of the calls is handled: those that `feedback` speaks of are always in it.
    """
    opinions = Tail(feedback, config.opinions)
    loaded = cache(load)
    pipeline = Pipeline(
        config.service,
        reads=reads,
        writes=writes,
        handle=reading(PayloadReader(payload_store(config)), lambda calls: handle(loaded(), calls)),
        failed=lambda call, error: failed(loaded(), call, error),
        ready=loaded,
        sample=Sampler(config.service, config.sampling, opinions),
    )
    return pipeline, (opinions,)


def scorer_pipeline(
    config: SamplingSettings,
    load: Callable[[], Sequence[Scorer]],
    counter: ScoreCounter,
    *,
    reads: Topic[Call],
    writes: Topic[Score],
    feedback: Topic[Feedback],
) -> Built:
    """A `model_pipeline` that gives the scores of each of the scorers that `load` gives, counted."""

    def score(scorers: Sequence[Scorer], calls: Sequence[Call]) -> Iterable[Score]:
        return counter.counted(score for scorer in scorers for score in scorer.score(calls))

    def failed(scorers: Sequence[Scorer], call: Call, error: Exception) -> Iterable[Score]:
        return counter.counted(score for scorer in scorers for score in failures(scorer, call, error))

    return model_pipeline(config, load, handle=score, failed=failed, reads=reads, writes=writes, feedback=feedback)
