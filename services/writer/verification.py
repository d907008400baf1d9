"""What became of acknowledged calls: stored, dead-lettered, still on its way, or lost."""

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import asdict, dataclass, field
from uuid import UUID

_ID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Found:
    """What the store knows: how often each call comes through its view, and which calls are in a dead letter."""

    stored: Mapping[UUID, int]
    dead_lettered: Set[UUID]


@dataclass(frozen=True)
class Waiting:
    """What may still come: calls in a spool, and messages on the broker that no stored range covers."""

    spooled: Set[UUID] = frozenset()
    messages: int = 0


@dataclass(frozen=True)
class Verdict:
    """The counts; `acknowledged` is the sum of `stored`, `dead_lettered`, `lost` and `pending`."""

    acknowledged: int
    stored: int
    dead_lettered: int
    lost: int
    duplicates: int
    pending: int
    lost_ids: tuple[UUID, ...] = field(default=(), repr=False)

    def counts(self) -> dict[str, int]:
        """The counts by name."""
        return {name: value for name, value in asdict(self).items() if name != "lost_ids"}


def judge(acknowledged: Set[UUID], found: Found, waiting: Waiting) -> Verdict:
    """Compare. A call that is stored counts as stored, also where a dead letter tells of an earlier try.

    `found` must have been read after `waiting`: a call on its way would be in neither otherwise. While any message
    waits, no missing call can be told lost: it may be that one.

    >>> one, other = UUID(int=1), UUID(int=2)
    >>> judge({one, other}, Found({one: 2}, set()), Waiting()).counts()
    {'acknowledged': 2, 'stored': 1, 'dead_lettered': 0, 'lost': 1, 'duplicates': 1, 'pending': 0}
    """
    stored = acknowledged & found.stored.keys()
    dead = (acknowledged & found.dead_lettered) - stored
    missing = acknowledged - stored - dead
    lost = frozenset() if waiting.messages else missing - waiting.spooled
    return Verdict(
        acknowledged=len(acknowledged),
        stored=len(stored),
        dead_lettered=len(dead),
        lost=len(lost),
        duplicates=sum(found.stored[call_id] > 1 for call_id in stored),
        pending=len(missing) - len(lost),
        lost_ids=tuple(sorted(lost)),
    )


def uncovered(ranges: Iterable[tuple[int, int]], start: int, end: int) -> int:
    """Offsets from `start` up to, without, `end` that lie in none of `ranges` (first and last offset, inclusive).

    >>> uncovered([(4, 6), (0, 2), (1, 2)], 0, 9)
    3
    """
    return sum(last - first + 1 for first, last in between(ranges, start, end))


def between(ranges: Iterable[tuple[int, int]], start: int, end: int) -> Iterator[tuple[int, int]]:
    """What `ranges` leave out from `start` up to, without, `end`, as ranges; all are inclusive.

    >>> list(between([(4, 6), (0, 2), (1, 2)], 0, 9))
    [(3, 3), (7, 8)]
    """
    reached = start
    for first, last in sorted(ranges):
        if first >= end:
            break
        if first > reached:
            yield reached, first - 1
        reached = max(reached, last + 1)
    if reached < end:
        yield reached, end - 1


def ledger_of(lines: Iterable[str]) -> frozenset[UUID]:
    """The ids of a ledger, one a line; raises `ValueError` naming a line that is none.

    A last line without its line break was being written when its writer died, and was promised to nobody.
    """
    ids = set()
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or not line.endswith("\n"):
            continue
        try:
            ids.add(UUID(text))
        except ValueError:
            raise ValueError(f"line {number} of the ledger is no call id: {text[:50]!r}") from None
    return frozenset(ids)


def mentioned(data: bytes) -> frozenset[UUID]:
    """Every id that is written in `data`: spools frame their calls in more than one way, and all hold them as JSON."""
    return frozenset(UUID(text.decode()) for text in _ID.findall(data))
