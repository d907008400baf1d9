"""JSON lines of calls to JSON lines of scores, without a broker."""

from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import msgspec

from schemas.ids import derived_id
from schemas.messages import UNDECODABLE, Call, Score
from services.shared.scoring import Metric, Scorer, failures

BATCH = 64
T = TypeVar("T")


class BadLine(NamedTuple):
    """A line that is no call, and why; lines count from 1."""

    line: int
    reason: str


class Numbered(NamedTuple):
    """A call and the line that it stands on."""

    line: int
    call: Call


class Part(NamedTuple):
    """Some lines, scored: how far they reach, what they said, and which of them are no calls."""

    last_line: int
    read_bytes: int
    calls: int
    scores: Sequence[bytes]
    bad: Sequence[BadLine]
    statuses: Counter[str]


def score_parts(
    lines: Iterable[bytes], scorers: Sequence[Scorer], *, metrics: Collection[str], at: datetime, after: int = 0
) -> Iterator[Part]:
    """`lines`, some at a time, in their order; the scores of one line are together in one part.

    A line is a JSON object with fields of a call, each optional (`context` may be a list of texts); a score is
    `{"line", "metric", "status", "value", "label", "reason", "evidence": [[start, end, kind]], "evidence_fields",
    "evaluator", "evaluator_version"}`. Blank lines are skipped. A line without `called_at` was called `at`. Lines
    are numbered from `after` + 1.
    """
    for batch in _batches(enumerate(lines, after + 1), BATCH):
        read = [parsed(number, line, at) for number, line in batch if line.strip()]
        numbered = [each for each in read if isinstance(each, Numbered)]
        scores = list(_scores(numbered, scorers, metrics))
        yield Part(
            last_line=batch[-1][0],
            read_bytes=sum(len(line) for _, line in batch),
            calls=len(numbered),
            scores=[written(line, score) for line, score in scores],
            bad=[each for each in read if isinstance(each, BadLine)],
            statuses=Counter(score.status for _, score in scores),
        )


def score_lines(
    lines: Iterable[bytes], scorers: Sequence[Scorer], *, metrics: Collection[str], at: datetime
) -> Iterator[bytes | BadLine]:
    """The scores of `lines`, and bad lines as they are met; see `score_parts`."""
    for part in score_parts(lines, scorers, metrics=metrics, at=at):
        yield from part.bad
        yield from part.scores


def _scores(
    numbered: Sequence[Numbered], scorers: Sequence[Scorer], metrics: Collection[str]
) -> Iterator[tuple[int, Score]]:
    by_call: dict[Any, list[Score]] = {each.call.call_id: [] for each in numbered}
    for scorer in scorers:
        for score in guarded(scorer, [each.call for each in numbered]):
            by_call[score.call_id].append(score)
    for each in numbered:
        yield from ((each.line, score) for score in by_call[each.call.call_id] if score.metric in metrics)


def guarded(scorer: Scorer, calls: Sequence[Call]) -> list[Score]:
    """The scores of `calls`; a call that the scorer cannot take has failed scores and spoils no other's."""
    try:
        return list(scorer.score(calls))
    except Exception as error:  # whatever it is, it concerns a call and not the run
        if len(calls) == 1:
            return failures(scorer, calls[0], error)
        middle = len(calls) // 2
        return guarded(scorer, calls[:middle]) + guarded(scorer, calls[middle:])


def parsed(number: int, line: bytes, at: datetime) -> Numbered | BadLine:
    """The call on a line, or what is wrong with the line."""
    given = {"tenant": "offline", "app": "offline", "environment": "offline", "version": "offline", "called_at": at}
    try:
        found = msgspec.json.decode(line.removeprefix(BOM_UTF8) if number == 1 else line)
        if not isinstance(found, dict):
            return BadLine(number, "the line is no JSON object")
        found = {key: value for key, value in found.items() if value is not None}
        found["context"] = _documents(found.get("context", ()))
        # The id of the input is not taken: two lines may carry the same one, and are two lines.
        call_id = derived_id("line", number)
        return Numbered(number, msgspec.convert({**given, **found, "type": "call.v1", "call_id": call_id}, Call))
    except UNDECODABLE as error:
        return BadLine(number, str(error))


def _documents(context: Any) -> Any:
    texts = [context] if isinstance(context, str) else context
    if not isinstance(texts, list | tuple):
        return texts
    return [{"text": each} if isinstance(each, str) else each for each in texts]


def written(number: int | UUID, score: Score) -> bytes:
    """The line that says `score`, of a line by its number or of a stored call by its id."""
    return msgspec.json.encode({
        "call_id" if isinstance(number, UUID) else "line": number,
        "metric": score.metric,
        "status": score.status,
        "value": score.value,
        "label": score.label,
        "reason": score.reason,
        "evidence": [[span.start, span.end, span.kind] for span in score.evidence],
        "evidence_fields": [span.field for span in score.evidence],
        "evaluator": score.evaluator,
        "evaluator_version": score.evaluator_version,
    })  # fmt: skip


def _batches(found: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(found)
    while batch := list(islice(iterator, size)):
        yield batch


def chosen(metrics: str, available: Sequence[str], by_name: Sequence[str] = ()) -> list[str]:
    """The metrics that a comma-separated list of names and shell patterns, or `all`, names, in their order.

    Those of `by_name` come last, and only where they are named in full: neither `all` nor a pattern means them. Raises
    ValueError that says which are unknown.

    >>> chosen("b,a", ["a", "b", "c"]), chosen("b*", ["a", "b", "b.x"]), chosen("all", ["a"], ["dear"])
    (['a', 'b'], ['b', 'b.x'], ['a'])
    >>> chosen("all,dear", ["a"], ["dear"])
    ['a', 'dear']
    """
    named = [name.strip() for name in metrics.split(",") if name.strip()]
    wanted = ["*" if name == "all" else name for name in named]
    unknown = [
        each for each in wanted if each not in by_name and not any(fnmatchcase(name, each) for name in available)
    ]
    if unknown or not wanted:
        raise ValueError(f"no such metric: {', '.join(unknown)}; there are {', '.join([*available, *by_name])}")
    found = [name for name in available if any(fnmatchcase(name, pattern) for pattern in wanted)]
    return [*found, *(name for name in by_name if name in wanted)]


@dataclass(frozen=True)
class Offer:
    """A scorer that can be loaded, and what it scores."""

    service: str
    metrics: Sequence[Metric]
    load: Callable[[], Scorer]

    @property
    def names(self) -> list[str]:
        """The names of its metrics."""
        return [metric.name for metric in self.metrics]


def loaded(offers: Iterable[Offer], metrics: Collection[str]) -> list[Scorer]:
    """The scorers that give any of `metrics`; the others are not loaded."""
    return [offer.load() for offer in offers if set(offer.names) & set(metrics)]
