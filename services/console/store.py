"""What the page asks of ClickHouse."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from clickhouse_connect.driver.client import Client

from schemas.messages.outcome import OPEN
from services.console.console import Range, Row

_TARGET = "tenant = {tenant:String} AND app = {app:String} AND environment = {environment:String}"
_SINCE = "{start:DateTime64(6, 'UTC')}"
_BETWEEN = f"BETWEEN {_SINCE} AND {{stop:DateTime64(6, 'UTC')}}"
_STEP = "intDiv(toUnixTimestamp({column}), {{step:UInt32}}) * {{step:UInt32}}"
_WEIGHT = "1 / inclusion_probability"  # how many calls one row stands for
_COPIES = f"toUInt64(round(1000 * {_WEIGHT}))"  # where whole numbers are asked for
TARGETS_SECONDS = 10.0  # a look reads the calls of thirty days
CALL_STEP = _STEP.format(column="called_at")
WINDOW_STEP = _STEP.format(column="window_start")

TARGETS = """
SELECT tenant, app, environment, max(newest) AS last_at, arraySort(groupArray((oldest, version))).2 AS versions FROM
(
    SELECT tenant, app, environment, version, min(called_at) AS oldest, max(called_at) AS newest FROM calls_rows
    WHERE called_at > now() - INTERVAL 30 DAY GROUP BY ALL
)
GROUP BY ALL ORDER BY last_at DESC
"""
LAST_CALL = f"""
SELECT max(called_at) AS last_at, count() AS calls FROM calls_rows
WHERE {_TARGET} AND called_at > now() - INTERVAL 1 HOUR
"""
CALLS = f"""
SELECT version, {CALL_STEP} AS at, sum({_WEIGHT}) AS calls FROM calls
WHERE {_TARGET} AND called_at {_BETWEEN} GROUP BY ALL ORDER BY at
"""
# A call may lie in windows of several lengths: those that hold a shorter one of the same kind are left out.
_ONCE = f"""
drift_name IS NULL
AND (version, metric, evaluator, evaluator_version, group, interval_seconds, toUnixTimestamp(window_start)) NOT IN
(
    WITH
    (
        SELECT groupUniqArray(interval_seconds) FROM windows_rows
        WHERE {_TARGET} AND window_start {_BETWEEN} AND drift_name IS NULL
    ) AS lengths
    SELECT version, metric, evaluator, evaluator_version, group, longer,
        intDiv(toUnixTimestamp(window_start), longer) * longer
    FROM windows_rows ARRAY JOIN lengths AS longer
    WHERE {_TARGET} AND window_start {_BETWEEN} AND drift_name IS NULL
        AND interval_seconds < arrayMax(lengths) AND interval_seconds < longer
)
"""
# A call that two versions of an evaluator have scored is in the windows of both: a step has those that count the most.
_ONE_EVALUATOR = """
GROUP BY version, metric, at, evaluator, evaluator_version
ORDER BY sum(count) DESC, evaluator_version DESC LIMIT 1 BY version, metric, at
"""
WINDOWS = f"""
SELECT version, metric, {WINDOW_STEP} AS at, sum(weight) AS weight, sum(weighted_sum) AS weighted_sum,
    sum(labelled_weight) AS labelled_weight
FROM windows WHERE {_TARGET} AND window_start {_BETWEEN} AND group = '' AND metric IN {{metrics:Array(String)}}
    AND (drift_name IS NOT NULL OR {_ONCE})
{_ONE_EVALUATOR}
"""
DURATIONS = f"""
SELECT metric, at, sumMap(sketch) AS positive, sum(zeros) AS zero
FROM
(
    SELECT version, metric, {WINDOW_STEP} AS at, sumMap(sketch_positive) AS sketch, sum(sketch_zero) AS zeros
    FROM windows WHERE {_TARGET} AND window_start {_BETWEEN} AND group = '' AND metric = 'duration_seconds'
        AND {_ONCE}
    {_ONE_EVALUATOR}
)
GROUP BY metric, at
"""
# Over the whole range, for what is compared must have been scored by one version.
_MOST_USED = f"""
(version, metric, evaluator, evaluator_version) IN
(
    SELECT version, metric, evaluator, evaluator_version FROM windows
    WHERE {_TARGET} AND window_start {_BETWEEN} AND group = '' AND {_ONCE}
    GROUP BY ALL ORDER BY sum(count) DESC, evaluator_version DESC LIMIT 1 BY version, metric
)
"""
GROUPS = f"""
SELECT version, metric, group, toUInt64(sum(count)) AS count, sum(weight) AS weight,
    sum(weight_squares) AS weight_squares, sum(labelled_weight) AS labelled_weight
FROM windows WHERE {_TARGET} AND window_start {_BETWEEN} AND group != '' AND {_ONCE}
    AND metric IN
    (
        SELECT metric FROM windows
        WHERE {_TARGET} AND window_start {_BETWEEN} AND group = '' GROUP BY metric HAVING sum(labelled) > 0
    )
    AND {_MOST_USED}
GROUP BY version, metric, group
"""
MEASURES = f"""
SELECT version, metric, evaluator, toUInt64(sum(count)) AS count, sum(weight) AS weight,
    sum(weighted_sum) AS weighted_sum, sum(labelled_weight) AS labelled_weight
FROM windows WHERE {_TARGET} AND window_start {_BETWEEN} AND group = '' AND {_ONCE}
GROUP BY version, metric, evaluator, evaluator_version
ORDER BY count DESC, evaluator_version DESC LIMIT 1 BY version, metric, evaluator
"""
INTERVAL = f"""
SELECT argMax(interval_seconds, (window_start, -interval_seconds)) AS seconds FROM windows_rows
WHERE {_TARGET} AND window_start {_BETWEEN} AND drift_name IS NULL
"""
VERSIONS = f"""
SELECT version, toUInt64(round(sum({_WEIGHT}))) AS calls, min(called_at) AS first_at, max(called_at) AS last_at,
    quantileExactWeighted(0.5)(duration_seconds, {_COPIES}) AS p50,
    quantileExactWeighted(0.95)(duration_seconds, {_COPIES}) AS p95,
    sumIf({_WEIGHT}, error_kind IS NOT NULL) / sum({_WEIGHT}) AS error_rate
FROM calls WHERE {_TARGET} AND called_at >= {_SINCE} GROUP BY version ORDER BY first_at
"""
RATES = f"""
SELECT version, metric, sumIf({_WEIGHT}, label) / sum({_WEIGHT}) AS rate
FROM scores WHERE {_TARGET} AND called_at >= {_SINCE} AND status = 'scored'
    AND metric IN ('response_toxicity', 'hallucination')
GROUP BY version, metric, evaluator, evaluator_version
ORDER BY count() DESC, evaluator_version DESC LIMIT 1 BY version, metric
"""
DEPLOYMENTS = f"""
SELECT version, decision_id, deployed_at, deployed_by, reason FROM deployments
WHERE {_TARGET} ORDER BY revision DESC LIMIT 1000
"""
# What is not over is shown however long ago it began.
ALERTS = f"""
SELECT * FROM alerts WHERE {_TARGET} AND alert_id IN
(
    SELECT alert_id FROM alerts WHERE {_TARGET} GROUP BY alert_id
    HAVING max(changed_at) >= {_SINCE} OR argMax(state, changed_at) = 'firing'
)
ORDER BY changed_at
"""
OUTCOMES = f"""
SELECT * FROM outcomes WHERE {_TARGET} AND decision_id IN
(
    SELECT decision_id FROM outcomes WHERE {_TARGET} GROUP BY decision_id
    HAVING max(changed_at) >= {_SINCE}
        OR argMax(state, (changed_at, step)) IN {OPEN}
)
ORDER BY changed_at, step
"""
COMPLETENESS = "SELECT * FROM completeness ORDER BY checked_at DESC LIMIT 1"
# The texts of eight calls are read, not those of the whole range; equal values need an order that is the same twice.
WORST = f"""
WITH worst AS
(
    SELECT call_id, version, value, called_at, evidence, metric FROM scores
    WHERE {_TARGET} AND called_at {_BETWEEN} AND metric = {{metric:String}} AND status = 'scored'
    ORDER BY value * {{sign:Int8}} DESC, call_id, evaluator_version DESC LIMIT 1 BY call_id LIMIT 8
)
SELECT toString(score.call_id) AS call_id, score.version AS version, score.value AS value, score.called_at AS called_at,
    score.evidence AS evidence, score.metric AS metric, call.prompt AS prompt, call.response AS response,
    call.messages AS messages, call.context AS context, call.choices AS choices, call.tool_calls AS tool_calls
FROM worst AS score
INNER JOIN
(
    SELECT call_id, prompt, response, messages, context, choices, tool_calls FROM calls
    WHERE {_TARGET} AND called_at {_BETWEEN} AND call_id IN (SELECT call_id FROM worst)
) AS call ON call.call_id = score.call_id
ORDER BY value * {{sign:Int8}} DESC, call_id
"""


class Store:
    """Queries for the page; safe to call from several threads, each of which has its own client."""

    def __init__(self, connect: Callable[[], Client]) -> None:
        self._connect = connect
        self._clients = threading.local()
        self._targets: tuple[float, list[Row]] = (0.0, [])

    def targets(self) -> list[Row]:
        """Every application seen in the last 30 days, the newest first, with its versions as they came.

        They are looked for every ten seconds at most.
        """
        looked_at, found = self._targets
        if not found or time.monotonic() - looked_at > TARGETS_SECONDS:
            found = self._rows(TARGETS)
            self._targets = time.monotonic(), found
        return found

    def last_call(self, target: Row) -> float | None:
        """When the newest call was made (seconds since the epoch); None where there is none in 30 days."""
        (row,) = self._rows(LAST_CALL, **target)
        if row["calls"]:
            return float(row["last_at"].timestamp())
        seen = self._seen(target)
        return seen["last_at"].timestamp() if seen else None

    def versions_seen(self, target: Row) -> list[str]:
        """The versions that got calls in the last 30 days, as they came."""
        seen = self._seen(target)
        return seen["versions"] if seen else []

    def _seen(self, target: Row) -> Row | None:
        return next((each for each in self.targets() if all(each[name] == target[name] for name in target)), None)

    def interval(self, target: Row, span: Range) -> int:
        """The length of the newest windows of the range, the shortest of them, drift's aside (s); 0 without any."""
        (row,) = self._rows(INTERVAL, **target, **_bounds(span))
        return int(row["seconds"])

    def calls(self, target: Row, span: Range) -> list[Row]:
        """Calls by version and step: `version`, `at`, `calls`."""
        return self._rows(CALLS, **target, **_bounds(span))

    def windows(self, target: Row, span: Range, metrics: list[str]) -> list[Row]:
        """Sums by version, metric and step, in each by the version of the evaluator that has scored the most calls."""
        return self._rows(WINDOWS, **target, **_bounds(span), metrics=metrics)

    def durations(self, target: Row, span: Range) -> list[Row]:
        """Merged sketches of the duration by step: `metric`, `at`, `positive`, `zero`."""
        return self._rows(DURATIONS, **target, **_bounds(span))

    def versions(self, target: Row, span: Range) -> list[Row]:
        """One row a version, the oldest first, with its rates of labels; None where nothing was scored."""
        rates = {
            (row["version"], row["metric"]): row["rate"] for row in self._rows(RATES, **target, start=_time(span.start))
        }
        return [
            {
                **row,
                "toxicity": rates.get((row["version"], "response_toxicity")),
                "hallucination": rates.get((row["version"], "hallucination")),
            }
            for row in self._rows(VERSIONS, **target, start=_time(span.start))
        ]

    def groups(self, target: Row, span: Range) -> list[Row]:
        """Sums of the windows of each version, metric that labels anything, and group of calls; every call once.

        Of an evaluator that has changed they are of the version of it that has scored the most calls.
        """
        return self._rows(GROUPS, **target, **_bounds(span))

    def measures(self, target: Row, span: Range) -> list[Row]:
        """Sums of the windows of each version, metric and evaluator, drift aside; as in `groups`."""
        return self._rows(MEASURES, **target, **_bounds(span))

    def deployments(self, target: Row) -> list[Row]:
        """The last thousand revisions, the newest one last."""
        return self._rows(DEPLOYMENTS, **target)[::-1]

    def alerts(self, target: Row, span: Range) -> list[Row]:
        """Every change of each alert that changed in the range or fires still, the oldest first."""
        return self._rows(ALERTS, **target, start=_time(span.start))

    def outcomes(self, target: Row, span: Range) -> list[Row]:
        """Every step of each decision that moved in the range or is open still, the oldest first."""
        return self._rows(OUTCOMES, **target, start=_time(span.start))

    def completeness(self) -> Row | None:
        """The writer's last check of what is stored; None where there was none."""
        return next(iter(self._rows(COMPLETENESS)), None)

    def worst(self, target: Row, metric: str, start: float, stop: float, *, lowest: bool = False) -> list[Row]:
        """The eight calls with the highest values, or the lowest, between two times (s), with their texts."""
        sign = -1 if lowest else 1
        return self._rows(WORST, **target, metric=metric, start=_time(start), stop=_time(stop), sign=sign)

    def _rows(self, query: str, **parameters: Any) -> list[Row]:
        if not hasattr(self._clients, "client"):
            self._clients.client = self._connect()
        result = self._clients.client.query(query, parameters=parameters, tz_mode="aware")
        return [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]


def _bounds(span: Range) -> dict[str, Any]:
    return {"start": _time(span.start), "stop": _time(span.stop + span.step), "step": span.step}


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
