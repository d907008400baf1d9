"""JSON lines of calls to JSON lines of scores, without a broker."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import msgspec

from schemas.ids import derived_id
from schemas.messages import UNDECODABLE, Call, Score
from services.shared.scoring import Scorer

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


def score_lines(
    lines: Iterable[bytes], scorers: Sequence[Scorer], *, metrics: Collection[str], at: datetime
) -> Iterator[bytes | BadLine]:
    """The scores of `lines`, those of one line together and in the order of the lines; bad lines as they are met.

    A line is a JSON object with fields of a call, each optional (`context` may be a list of texts); a score is
    `{"line", "metric", "status", "value", "label", "reason", "evidence": [[start, end, kind]], "evaluator",
    "evaluator_version"}`. Blank lines are skipped. A line without `called_at` was called `at`.
    """
    read = (parsed(number, line, at) for number, line in enumerate(lines, 1) if line.strip())
    for batch in _batches(read, BATCH):
        numbered = [each for each in batch if isinstance(each, Numbered)]
        yield from (each for each in batch if isinstance(each, BadLine))
        by_call: dict[Any, list[Score]] = {each.call.call_id: [] for each in numbered}
        for scorer in scorers:
            for score in scorer.score([each.call for each in numbered]):
                by_call[score.call_id].append(score)
        for each in numbered:
            yield from (written(each.line, score) for score in by_call[each.call.call_id] if score.metric in metrics)


def parsed(number: int, line: bytes, at: datetime) -> Numbered | BadLine:
    """The call on a line, or what is wrong with the line."""
    given = {"tenant": "offline", "app": "offline", "environment": "offline", "version": "offline", "called_at": at}
    try:
        found = msgspec.json.decode(line)
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


def written(number: int, score: Score) -> bytes:
    """The line that says `score`."""
    return msgspec.json.encode({
        "line": number,
        "metric": score.metric,
        "status": score.status,
        "value": score.value,
        "label": score.label,
        "reason": score.reason,
        "evidence": [[span.start, span.end, span.kind] for span in score.evidence],
        "evaluator": score.evaluator,
        "evaluator_version": score.evaluator_version,
    })  # fmt: skip


def _batches(found: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(found)
    while batch := list(islice(iterator, size)):
        yield batch


def chosen(metrics: str, available: Sequence[str]) -> list[str]:
    """The metrics that a comma-separated list, or `all`, names.

    Raises ValueError that says which are unknown.

    >>> chosen("b,a", ["a", "b", "c"])
    ['a', 'b']
    """
    named = set(available) if metrics == "all" else {name.strip() for name in metrics.split(",") if name.strip()}
    if unknown := sorted(named - set(available)):
        raise ValueError(f"no such metric: {', '.join(unknown)}; there are {', '.join(available)}")
    return [name for name in available if name in named]


Loader = Callable[[], Scorer]


def loaded(loaders: Sequence[tuple[Sequence[str], Loader]], metrics: Collection[str]) -> list[Scorer]:
    """The scorers that give any of `metrics`; the others are not loaded."""
    return [load() for names, load in loaders if set(names) & set(metrics)]
