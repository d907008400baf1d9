"""How far a model answers otherwise when it is asked the same again."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

from schemas.messages import Answer, Call, Score, Span
from services.quality.quality.fingerprint import RULES, fingerprint, in_common
from services.shared.scoring import Evaluator, Measured, Metric, Missing, Result

NON_DETERMINISM = Metric("non_determinism", unit="share", worse="higher", maximum=1.0, threshold=0.5)
EVALUATOR = "repeats"
EARLIER = Missing("earlier_answer")


class _Kept(NamedTuple):
    """The last answer to a question, and where it lies in the log."""

    offset: int
    call_id: UUID
    called_at: datetime
    digest: str
    sketch: bytes


class Verdict(NamedTuple):
    """What is said of an answer; `input_at` is the time of the earlier one, where that is the newer."""

    result: Result
    input_at: datetime | None = None


class _Place(NamedTuple):
    offset: int
    question: bytes
    answer: bytes


@dataclass
class Memory:
    """The last answer to each question among the last `records` of one log; each answer is held against the one before.

    What is said of a record is a function of it and of the `records` - 1 offsets before it: whoever has read these
    says the same of it, whenever and however often. Of a call that comes again within them nothing is said. An
    answer more than `seconds` of event time away is not compared with. Takes about 1 kB a record.
    """

    records: int
    seconds: float
    order: str = ""  # in which what is read lies, where that is not the log's own
    _last: dict[bytes, _Kept] = field(default_factory=dict)
    _seen: dict[bytes, int] = field(default_factory=dict)
    _places: deque[_Place] = field(default_factory=deque)

    @property
    def evaluator(self) -> Evaluator:
        """Who signs: another memory, other scores."""
        parts = [RULES, f"last:{self.records}:{self.seconds:g}", *([self.order] if self.order else [])]
        return Evaluator(EVALUATOR, "+".join(parts))

    def score(self, answer: Answer, offset: int) -> Score | None:
        """The score of the answer at `offset`, None for one that has it; offsets rise from call to call."""
        verdict = self.judge(answer, offset)
        return self.evaluator.score(answer, NON_DETERMINISM, *verdict) if verdict else None

    def judge(self, answer: Answer, offset: int) -> Verdict | None:
        """What the score says."""
        self._drop(offset - self.records)
        place = _Place(offset, _short(answer.key), mark(answer))
        earlier, again = self._last.get(place.question), place.answer in self._seen
        self._places.append(place)
        self._seen[place.answer] = offset
        self._last[place.question] = _Kept(offset, answer.call_id, answer.called_at, answer.digest, answer.sketch)
        if again:
            return None
        if earlier is None or abs((answer.called_at - earlier.called_at).total_seconds()) > self.seconds:
            return Verdict(EARLIER)
        newer = earlier.called_at if earlier.called_at > answer.called_at else None
        return Verdict(_compared(earlier, answer), newer)

    def forget(self) -> None:
        """Begin anew."""
        self._last.clear()
        self._seen.clear()
        self._places.clear()

    def _drop(self, through: int) -> None:
        while self._places and self._places[0].offset <= through:
            place = self._places.popleft()
            if self._seen[place.answer] == place.offset:
                del self._seen[place.answer]
            if self._last[place.question].offset == place.offset:
                del self._last[place.question]


def mark(answer: Answer) -> bytes:
    """What makes an answer one that came before: its content too, for an id that somebody gave to two calls."""
    return _short(f"{answer.call_id}|{answer.key}|{answer.digest}")


def _short(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _compared(earlier: _Kept, answer: Answer) -> Result:
    if earlier.digest == answer.digest:
        return Measured(0.0)
    value = 1.0 - in_common(earlier.sketch, answer.sketch)
    if value == 0.0 or not answer.characters:
        return Measured(value)
    span = Span(field="response", start=0, end=answer.characters, kind=f"differs_from:{earlier.call_id}")
    return Measured(value, (span,))


def first_look(call: Call, evaluator: Evaluator) -> Answer | Score:
    """The fingerprint of a call, or the score that says what it lacks."""
    found = fingerprint(call)
    return evaluator.score(call, NON_DETERMINISM, found) if isinstance(found, Missing) else found


class RepeatScorer:
    """Scores calls in the order in which they are given, each against those before it.

    A call that is given again has the same score again.
    """

    metrics = (NON_DETERMINISM,)
    evaluator = EVALUATOR

    def __init__(self, records: int, seconds: float) -> None:
        self._memory = Memory(records, seconds, "as_given")
        self._said: dict[bytes, Verdict] = {}
        self._read = 0

    @property
    def version(self) -> str:
        """The rules, how far back is looked, and that the order is that of the calls given."""
        return self._memory.evaluator.version

    def score(self, calls: Sequence[Call]) -> Iterable[Score]:
        """The scores of `calls`."""
        return list(map(self._score, calls))

    def recall(self, calls: Sequence[Call]) -> None:
        """Take calls in that were scored before, by another process."""
        self.score(calls)

    def forget(self) -> None:
        """Begin anew."""
        self._memory.forget()
        self._said.clear()

    def _score(self, call: Call) -> Score:
        found = first_look(call, self._memory.evaluator)
        if isinstance(found, Score):
            return found
        known = mark(found)
        if known not in self._said:
            self._said[known] = self._memory.judge(found, self._read) or Verdict(EARLIER)
            self._read += 1
            if len(self._said) > self._memory.records:
                del self._said[next(iter(self._said))]
        return self._memory.evaluator.score(call, NON_DETERMINISM, *self._said[known])
