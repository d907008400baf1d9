"""What the store holds of the log and of the clients' numbers, and where each check is kept."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from services.writer.column import COUNT, NUMBER, TEXT, TIME
from services.writer.completeness import questions
from services.writer.completeness.check import Check
from services.writer.completeness.gaps import Extent, Gap, Hole, Spans

MOST_HOLES = 100_000  # of clients' numbers, looked at; with more, what is missing is a floor
MOST_KEPT = 1000  # with a check: the oldest, so that a writer that starts again knows their ages
_GAP = pa.struct(
    [("kind", TEXT), ("place", TEXT), ("subject", TEXT), ("first", COUNT), ("last", COUNT), ("since", TIME)]
)
_COUNTS = ("covered", "missing_offsets", "pending_offsets", "missing_calls", "pending_calls", "dead_letters", "refused")
ROW = pa.schema(
    [
        ("checked_at", TIME),
        ("broker_run", TEXT),
        ("grace_seconds", NUMBER),
        ("pause_seconds", NUMBER),
        *((name, pa.uint64()) for name in (*_COUNTS, "row_version")),
        ("whole", pa.bool_()),
        ("gaps", pa.list_(_GAP)),
    ]
)


class Records:
    """The completeness of the store; for one thread. Raises what clickhouse-connect raises, and OSError."""

    def __init__(self, connect: Callable[[], Client]) -> None:
        self._connect = connect
        self._client: Client | None = None

    def spans(self, run: str, extents: Mapping[str, Extent], since: datetime) -> Spans:
        """What the ranges that were inserted since a moment cover of a broker run."""
        log = {"places": list(extents), "starts": [extent.start for extent in extents.values()]}
        found = defaultdict(list)
        for place, first, last in self._rows(questions.SPANS, run=run, since=since, **log):
            found[place].append((first, last))
        return found

    def holes(self, since: datetime) -> list[Hole]:
        """Holes in the numbers of the clients that called since a moment."""
        return [Hole("calls", *row) for row in self._rows(questions.HOLES, since=since, most=MOST_HOLES)]

    def dead_letters(self) -> int:
        """Messages that the writer could not store, in three days."""
        return int(self._rows(questions.DEAD_LETTERS)[0][0])

    def refused(self) -> int:
        """Numbered calls that the gateway refused, in three days."""
        return int(self._rows(questions.REFUSED)[0][0])

    def last_gaps(self, run: str) -> list[Gap]:
        """The gaps of the last check; of offsets only where that was of the same broker run."""
        found = self._rows(questions.LAST)
        same, gaps = (found[0][0] == run, found[0][1]) if found else (False, [])
        return [_gap(each) for each in gaps if same or each["kind"] == "calls"]

    def add(self, check: Check) -> None:
        """Keep a check."""
        kept = sorted(check.gaps, key=lambda gap: gap.since)[:MOST_KEPT]
        row: dict[str, Any] = {
            "checked_at": check.checked_at,
            "broker_run": check.broker_run,
            "grace_seconds": check.grace_seconds,
            "pause_seconds": check.pause_seconds,
            "covered": check.covered,
            "missing_offsets": check.missing("offsets"),
            "pending_offsets": check.pending("offsets"),
            "missing_calls": check.missing("calls"),
            "pending_calls": check.pending("calls"),
            "dead_letters": check.dead_letters,
            "refused": check.refused,
            "whole": check.whole,
            "gaps": [{**gap.hole._asdict(), "since": gap.since} for gap in kept],
            "row_version": 0,
        }
        self._connected().insert_arrow("completeness_rows", pa.Table.from_pylist([row], schema=ROW))

    def forget(self) -> None:
        """Connect anew at the next question."""
        self._client = None

    def _rows(self, query: str, **parameters: Any) -> list[Any]:
        rows: list[Any] = list(self._connected().query(query, parameters=parameters, tz_mode="aware").result_rows)
        return rows

    def _connected(self) -> Client:
        if self._client is None:
            self._client = self._connect()
        return self._client


def _gap(kept: Mapping[str, Any]) -> Gap:
    since: datetime = kept["since"]
    hole = Hole(kept["kind"], kept["place"], kept["first"], kept["last"], kept["subject"])
    return Gap(hole, since if since.tzinfo else since.replace(tzinfo=UTC))
