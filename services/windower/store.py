"""Stored scores and windows, read from ClickHouse."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from clickhouse_connect.driver.client import Client

from schemas.messages import Score, Segment
from services.shared.ourselves import PLATFORM
from services.windower.windower import Known, Measured, Place, Span

_MEASURED = "tenant, app, environment, version, metric, evaluator, evaluator_version"
_WHERE = """({app:String} = '' OR app = {app:String}) AND ({tenant:String} = '' OR tenant = {tenant:String})"""
_BETWEEN = "fromUnixTimestamp64Micro({start:Int64}, 'UTC') AND fromUnixTimestamp64Micro({stop:Int64} - 1, 'UTC')"
_SCORES = f"""
SELECT {_MEASURED}, score_id, call_id, called_at, status, value, label, statistics, input_at,
    inclusion_probability, groups
FROM scores WHERE {_WHERE} AND called_at BETWEEN {_BETWEEN} AND NOT synthetic
"""
# Those of scores: not those of drift, tested or not, and not those that the writer makes of what is missing. Both have
# lengths of their own.
_WINDOWS = f"""windows WHERE {_WHERE} AND window_start BETWEEN {_BETWEEN} AND NOT startsWith(metric, 'embedding_drift.')
    AND tenant != '{PLATFORM.tenant}'"""
_INTERVALS = f"SELECT DISTINCT interval_seconds FROM {_WINDOWS}"
_KNOWN = f"""
SELECT {_MEASURED}, `group`, interval_seconds, toInt64(toUnixTimestamp(window_start)) AS start_seconds,
    source_partition, generation, count, not_scored, failed, labelled, weight, weighted_sum, corpus
FROM {_WINDOWS} AND interval_seconds IN {{intervals:Array(UInt32)}} ORDER BY source_partition
"""


@dataclass(frozen=True)
class Store:
    """What is stored of one application and tenant, or ("") of all; every method raises clickhouse-connect's `Error`.

    Times are from `start` (inclusive) to `stop` (exclusive).
    """

    client: Client
    app: str = ""
    tenant: str = ""

    def intervals(self, start: datetime, stop: datetime) -> tuple[int, ...]:
        """The lengths (s) of the windows of scores that begin between two times."""
        rows = self.client.query(_INTERVALS, parameters=self._parameters(start, stop)).result_rows
        return tuple(sorted(row[0] for row in rows))

    def scores(self, start: datetime, stop: datetime) -> Iterator[Score]:
        """The scores of calls made between two times, synthetic ones aside; without reason and evidence."""
        with self.client.query_rows_stream(_SCORES, parameters=self._parameters(start, stop), tz_mode="aware") as rows:
            names = rows.source.column_names
            for row in rows:
                known = dict(zip(names, row, strict=True))
                segment = Segment(**{name: known.pop(name) for name in Segment.__struct_fields__})
                yield Score(segment=segment, **known)

    def windows(self, start: datetime, stop: datetime, intervals: Sequence[int]) -> Mapping[Place, Sequence[Known]]:
        """The windows of scores, of these lengths (s), that begin between two times; by source partition."""
        parameters = self._parameters(start, stop) | {"intervals": list(intervals)}
        found: dict[Place, list[Known]] = defaultdict(list)
        for row in self.client.query(_KNOWN, parameters=parameters).named_results():
            segment = Segment(**{name: row[name] for name in Segment.__struct_fields__})
            measured = Measured(segment, row["metric"], row["evaluator"], row["evaluator_version"])
            place = Place(measured, row["group"], Span(row["interval_seconds"], row["start_seconds"]))
            found[place].append(Known(**{field.name: row[field.name] for field in fields(Known)}))
        return found

    def _parameters(self, start: datetime, stop: datetime) -> dict[str, Any]:
        between = {"start": int(start.timestamp() * 1_000_000), "stop": int(stop.timestamp() * 1_000_000)}
        return {"app": self.app, "tenant": self.tenant, **between}
