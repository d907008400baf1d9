"""Calls as they are stored in ClickHouse, whole again."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import msgspec
from clickhouse_connect.driver.client import Client

from schemas.messages import Call

PAGE = 256
_JSON = ("parameters", "messages", "context", "choices", "tool_calls", "expected_format", "attributes")
_TOKENS = ("input", "output", "cached", "reasoning")
_ERROR = ("kind", "message", "status")
_WHERE = """
FROM calls WHERE ({tenant:String} = '' OR tenant = {tenant:String}) AND ({app:String} = '' OR app = {app:String})
AND called_at >= fromUnixTimestamp64Micro({start:Int64}, 'UTC')
AND called_at < fromUnixTimestamp64Micro({stop:Int64}, 'UTC')
"""
_COUNT = f"SELECT count() {_WHERE}"
_DAYS = f"SELECT DISTINCT toDate(called_at) AS day {_WHERE} ORDER BY day"
_CALLS = f"""
SELECT * {_WHERE} AND (called_at, tenant, call_id)
    > (fromUnixTimestamp64Micro({{start:Int64}}, 'UTC'), {{last_tenant:String}}, {{last_id:UUID}})
ORDER BY called_at, tenant, call_id LIMIT {{page:UInt32}}
"""
_FIRST = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class StoredCalls:
    """The calls of one tenant and application, or ("") of all, from `start` to `stop` (exclusive), by time.

    Only reads. A page is a query of its own, so that nothing waits while it is worked on. The table's key knows days,
    and no time within: so a page reads one day at most, never the rest of the range. Log-probabilities and times
    between tokens come back as the 32-bit numbers that are stored. Raises clickhouse-connect's `Error`.
    """

    client: Client
    start: datetime
    stop: datetime
    app: str = ""
    tenant: str = ""

    def count(self) -> int:
        """How many there are."""
        return int(self.client.query(_COUNT, parameters=self._parameters()).result_rows[0][0])

    def pages(self, size: int = PAGE) -> Iterator[list[Call]]:
        """All of them, at most `size` at a time."""
        for day in self._days():
            yield from day._pages(size)

    def _days(self) -> Iterator["StoredCalls"]:
        for (day,) in self.client.query(_DAYS, parameters=self._parameters()).result_rows:
            begin = datetime.combine(day, time.min, UTC)
            yield replace(self, start=max(self.start, begin), stop=min(self.stop, begin + timedelta(days=1)))

    def _pages(self, size: int) -> Iterator[list[Call]]:
        asked = {**self._parameters(), "last_tenant": "", "last_id": _FIRST, "page": size}
        while True:
            found = self.client.query(_CALLS, parameters=asked, tz_mode="aware")
            calls = [_call(dict(zip(found.column_names, row, strict=True))) for row in found.result_rows]
            if calls:
                yield calls
            if len(calls) < size:
                return
            last = calls[-1]
            asked |= {"start": _micros(last.called_at), "last_tenant": last.tenant, "last_id": str(last.call_id)}

    def _parameters(self) -> dict[str, Any]:
        between = {"start": _micros(self.start), "stop": _micros(self.stop)}
        return {"app": self.app, "tenant": self.tenant, **between}


def _call(row: dict[str, Any]) -> Call:
    fields = {name: msgspec.json.decode(row[name] or "null") if name in _JSON else row[name] for name in row}
    fields["tokens"] = {name: fields.pop(f"{name}_tokens") for name in _TOKENS}
    error = {name: fields.pop(f"error_{name}") for name in _ERROR}
    fields["error"] = None if error["kind"] is None else {**error, "message": error["message"] or ""}
    given = {name: value for name, value in fields.items() if value is not None}
    return msgspec.convert({**given, "type": "call.v1"}, Call)


def _micros(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond
