"""Stored calls scored again: new scores beside the old, marked as a replay."""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from time import monotonic

from schemas.messages import Call, Score
from services.embedded.stored_calls import StoredCalls
from services.shared.errors import Transient
from services.shared.line_scoring import guarded
from services.shared.payload_reader import PayloadDamaged, PayloadMissing, PayloadReader, parts_of
from services.shared.record import REPLAY_HEADER
from services.shared.retry import pauses
from services.shared.scoring import Scorer, failures

MARK = ((REPLAY_HEADER, b"rescore"),)  # no window, no rule and no policy takes what carries it
AWAY_SECONDS = 60.0  # for which a store of payloads is waited for
Send = Callable[[Sequence[Score]], Awaitable[None]]


@dataclass
class Rescored:
    """What came of it."""

    calls: int = 0
    scores: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    evaluators: dict[str, str] = field(default_factory=dict)

    def add(self, calls: int, scores: Sequence[Score]) -> None:
        """Count a page."""
        self.calls += calls
        self.scores += len(scores)
        self.statuses = dict(Counter(self.statuses) + Counter(score.status for score in scores))


async def rescore(
    stored: StoredCalls,
    scorers: Sequence[Scorer],
    *,
    metrics: Collection[str],
    payloads: PayloadReader,
    send: Send,
    progress: Callable[[int, int], None],
) -> Rescored:
    """Score every stored call and `send` the scores, a page at a time.

    The same evaluator version gives the same ids, so doing it twice changes nothing; another one gives scores that
    stand beside the old. A call whose payload is gone has failed scores. Raises `Transient` where the store of
    payloads stays away.
    """
    done = Rescored(evaluators={scorer.evaluator: scorer.version for scorer in scorers})
    whole = stored.count()
    progress(0, whole)
    for page in stored.pages():
        parts = parts_of(page)
        scores = [each for part in parts for each in await _scores(part, scorers, payloads) if each.metric in metrics]
        await send(scores)
        done.add(len(page), scores)
        progress(done.calls, whole)
    return done


async def _scores(part: Sequence[Call], scorers: Sequence[Scorer], payloads: PayloadReader) -> list[Score]:
    calls: list[Call] = []
    scores: list[Score] = []
    for call in part:
        try:
            calls.append(await _whole(call, payloads))
        except (PayloadMissing, PayloadDamaged, ValueError) as error:
            scores.extend(failed for scorer in scorers for failed in failures(scorer, call, error))
    scores.extend(score for scorer in scorers for score in guarded(scorer, calls))
    return scores


async def _whole(call: Call, payloads: PayloadReader) -> Call:
    deadline = monotonic() + AWAY_SECONDS
    async for _ in pauses():
        try:
            return payloads.whole(call)
        except Transient:
            if monotonic() >= deadline:
                raise
    raise AssertionError("pauses do not end")
