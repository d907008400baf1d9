"""The windows since a switch, from ClickHouse."""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from schemas.messages import Alert, DriftTest, Segment, Sketch, Window
from services.rollback.control import EvidenceAwayError

QUERY = """
SELECT * FROM windows
WHERE tenant = {tenant:String} AND app = {app:String} AND environment = {environment:String}
  AND version = {version:String} AND metric = {metric:String} AND `group` = {group:String}
  AND interval_seconds = {interval:UInt32}
  AND ({evaluator:String} = '' OR evaluator = {evaluator:String})
  AND window_start >= fromUnixTimestamp64Micro({since:Int64}, 'UTC')
ORDER BY window_start
LIMIT 10000
"""


class Client(Protocol):
    """What is needed of a ClickHouse client."""

    def query(self, query: str, parameters: dict[str, Any]) -> Any:
        """Run a query with typed parameters."""


class WindowEvidence:
    """Reads windows with a client of the calling thread's own, made when first needed and after a failure."""

    def __init__(self, connect: Callable[[], Client]) -> None:
        self._connect, self._local = connect, threading.local()

    def __call__(self, alert: Alert, version: str, since: datetime) -> list[Window]:
        """Windows of the alert's metric for `version` that began at `since` or later, by start.

        Raises `EvidenceAwayError` where ClickHouse does not answer.
        """
        try:
            rows = self._client().query(QUERY, parameters=_parameters(alert, version, since)).named_results()
            return [window(row) for row in rows]
        except (ClickHouseError, HTTPError, OSError) as error:
            self._local.client = None
            raise EvidenceAwayError(f"{type(error).__name__}: {error}") from error

    def _client(self) -> Client:
        if getattr(self._local, "client", None) is None:
            self._local.client = self._connect()
        client: Client = self._local.client
        return client


def _parameters(alert: Alert, version: str, since: datetime) -> dict[str, Any]:
    segment = alert.segment
    return {
        "tenant": segment.tenant,
        "app": segment.app,
        "environment": segment.environment,
        "version": version,
        "metric": alert.metric,
        "group": alert.group,
        "interval": alert.interval_seconds,
        "evaluator": alert.labels.get("evaluator", ""),
        "since": int(since.timestamp() * 1_000_000),
    }


def window(row: Mapping[str, Any]) -> Window:
    """The message that a row of the view `windows` was written from."""
    plain = {name: row[name] for name in Window.__struct_fields__ if name in row}
    times = {name: row[name].replace(tzinfo=UTC) for name in ("window_start", "window_end")}
    segment = Segment(**{name: row[name] for name in Segment.__struct_fields__})
    return Window(**{**plain, **times, "segment": segment, "sketch": _sketch(row), "drift": _drift(row)})


def _sketch(row: Mapping[str, Any]) -> Sketch | None:
    if row["sketch_alpha"] is None:
        return None
    return Sketch(
        alpha=row["sketch_alpha"],
        positive=row["sketch_positive"],
        negative=row["sketch_negative"],
        zero=row["sketch_zero"],
    )


def _drift(row: Mapping[str, Any]) -> DriftTest | None:
    if row["drift_name"] is None:
        return None
    names = set(DriftTest.__struct_fields__) - {"name"}
    return DriftTest(name=row["drift_name"], **{name: row[f"drift_{name}"] for name in names})
