"""The second task of quality: fingerprints of answers in, scores of repeated questions out."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from schemas.messages import Answer, Call, Message, Score
from schemas.topics import ANSWERS, SCORES
from services.quality import metrics
from services.quality.quality.repeats import EVALUATOR, NON_DETERMINISM, Memory, first_look
from services.shared.fold import Fold
from services.shared.record import Record
from services.shared.scoring import Evaluator, Invalid


def fold(records: int, seconds: float) -> Fold[Answer]:
    """Holds each answer against the one before it to the same question: a memory for each partition of answers."""
    return Fold(
        EVALUATOR,
        reads=ANSWERS,
        writes=SCORES,
        state=lambda _: State(Memory(records, seconds)),
        lookback=records,
    )


def fingerprints(calls: Sequence[Call], memory: Memory) -> Iterator[Message]:
    """What the fold is given of `calls`, and the scores of those that it cannot judge."""
    for call in calls:
        found = first_look(call, memory.evaluator)
        if isinstance(found, Score):
            yield from metrics.SCORES.counted([found])
        else:
            yield found


def failure(evaluator: Evaluator, call: Call, error: Exception) -> Score:
    """The failed score of a call that the service could not take."""
    return evaluator.score(call, NON_DETERMINISM, Invalid(type(error).__name__))


class State:
    """The memory of one partition; what comes from a replay was judged when it first came, and is left out."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._due: list[Score] = []
        self._next = 0

    def add(self, records: Sequence[Record[Answer]]) -> None:
        """Judge answers."""
        for score in self._judged(records):
            self._due.append(score)  # one by one: what follows may fail

    def recall(self, records: Sequence[Record[Answer]]) -> None:
        """Remember answers that are judged."""
        for _ in self._judged(records):
            pass

    def tick(self, _: datetime) -> list[Score]:
        """The scores of what was added since."""
        due, self._due = self._due, []
        return list(metrics.SCORES.counted(due))

    def needed(self) -> None:
        """Nothing: a fresh state is given what lies before the first record that is new."""

    def _judged(self, records: Sequence[Record[Answer]]) -> Iterator[Score]:
        for record in records:
            if record.offset >= self._next and not record.replayed:
                score = self._memory.score(record.message, record.offset)
                self._next = record.offset + 1
                if score is not None:
                    yield score
