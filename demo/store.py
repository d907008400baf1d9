"""What the demo asks of ClickHouse, as an analyst would."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.exceptions import ClickHouseError

from demo.versions import APP, BAD

Row = Mapping[str, Any]
MINIMUM_COUNT = 8  # bad calls in a window before the rules of deploy/rules believe it
SCORERS = ("latency", "toxicity", "hallucination", "guard", "quality")

SCORED_BY_ALL = """
SELECT count() FROM (SELECT call_id FROM scores WHERE app = {app:String} GROUP BY call_id
HAVING hasAll(groupUniqArray(evaluator), {scorers:Array(String)}))
"""
EVENTS = {
    "deployment": "SELECT * FROM deployments WHERE app = {app:String} ORDER BY revision",
    "alert": "SELECT * FROM alerts WHERE app = {app:String} ORDER BY changed_at",
    "outcome": "SELECT * FROM outcomes WHERE app = {app:String} ORDER BY changed_at, step",
}
RECENT = """
SELECT version, count() AS calls,
    round(avgWeightedIf(value, 1 / inclusion_probability, metric = 'response_toxicity'), 2) AS toxicity,
    round(avgWeightedIf(value, 1 / inclusion_probability, metric = 'hallucination'), 2) AS hallucination,
    round(quantileIf(0.95)(value, metric = 'duration_seconds'), 2) AS p95_seconds
FROM scores WHERE app = {app:String} AND status = 'scored' AND called_at > now64(6) - INTERVAL 10 SECOND
GROUP BY version ORDER BY version
"""
FIRST_BAD_WINDOW = """
SELECT min(window_start) AS began, count() AS windows FROM windows
WHERE app = {app:String} AND version = {bad:String} AND metric = 'response_toxicity' AND group = ''
    AND labelled >= {minimum:UInt32}
"""


class Store:
    """The read-only port of the stack's ClickHouse."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._client = clickhouse_connect.get_client(host=parts.hostname, port=parts.port, database="tidemark")

    def somebody_was_scored_by_all(self) -> bool:
        """Whether there is a call that every scorer has scored."""
        (row,) = self._rows(SCORED_BY_ALL, scorers=list(SCORERS))
        return bool(row["count()"])

    def events(self, kind: str) -> list[Row]:
        """All rows of one kind of event, the oldest first."""
        return self._rows(EVENTS[kind])

    def recent(self) -> list[Row]:
        """Averages of the last ten seconds, by version."""
        return self._rows(RECENT)

    def first_bad_window(self) -> datetime | None:
        """The start of the first window with the minimum number of bad calls."""
        (row,) = self._rows(FIRST_BAD_WINDOW, bad=BAD, minimum=MINIMUM_COUNT)
        return row["began"] if row["windows"] else None

    def _rows(self, query: str, **parameters: Any) -> list[Row]:
        result = self._client.query(query, parameters={"app": APP, **parameters}, tz_mode="aware")
        names: Sequence[str] = result.column_names
        return [dict(zip(names, row, strict=True)) for row in result.result_rows]


__all__ = ["ClickHouseError", "Store"]
