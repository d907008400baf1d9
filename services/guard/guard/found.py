"""Spans of a text, and how sure it is that they are what they seem."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from schemas.messages import Span


class Found(NamedTuple):
    """Characters `start` to `end` (exclusive), what they are, and the probability that they are."""

    start: int
    end: int
    kind: str
    confidence: float


def settled(found: Iterable[Found], ranks: Sequence[str] = ()) -> list[Found]:
    """What is left, in the order of the text, when overlaps are settled.

    A kind that comes earlier in `ranks` wins, then the longer span; a kind that is not there ranks last.

    >>> settled([Found(0, 4, "PHONE", 0.9), Found(2, 9, "IBAN", 0.9)], ["IBAN", "PHONE"])
    [Found(start=2, end=9, kind='IBAN', confidence=0.9)]
    """
    order = {kind: rank for rank, kind in enumerate(ranks)}
    by_rank: dict[int, list[Found]] = {}
    for each in found:
        by_rank.setdefault(order.get(each.kind, len(order)), []).append(each)
    kept: list[Found] = []
    for rank in sorted(by_rank):
        kept = _merged(kept, _disjoint(by_rank[rank]))
    return kept


def _disjoint(found: list[Found]) -> list[Found]:
    """Of those that overlap in a row, the longest."""
    result: list[Found] = []
    for each in sorted(found):
        if not result or each.start >= result[-1].end:
            result.append(each)
        elif each.end - each.start > result[-1].end - result[-1].start:
            result[-1] = each
    return result


def _merged(kept: list[Found], more: list[Found]) -> list[Found]:
    """`kept` and those of `more` that overlap none of them; both sorted and disjoint."""
    result: list[Found] = []
    position = 0
    for each in more:
        while position < len(kept) and kept[position].end <= each.start:
            position += 1
        if position == len(kept) or kept[position].start >= each.end:
            result.append(each)
    return sorted([*kept, *result])


def spans(found: Iterable[Found], field: str) -> tuple[Span, ...]:
    """The evidence."""
    return tuple(
        Span(field=field, start=each.start, end=each.end, kind=each.kind, value=round(each.confidence, 4))
        for each in found
    )
