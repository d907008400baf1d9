"""The alerter's state: windows, where alerts stand, notifications."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Row, delete, exists, func, insert, select, true, tuple_, update

from schemas.messages import Alert, Segment, Window
from schemas.topics import ALERTS
from services.alerter.alerter.evaluation import Baseline, Observation
from services.alerter.alerter.lifecycle import Progress
from services.alerter.tables import NOTIFICATIONS, STANDINGS, WINDOWS
from services.shared.aggregate import Aggregate, merge
from services.shared.disparity import together
from services.shared.outbox import Outbox

BATCH = 2000
_PROGRESS = msgspec.json.Decoder(Progress)
_START = ("tenant", "app", "environment", "version", "metric", "group_name", "evaluator", "evaluator_version")


def keep_fuller(connection: Connection, window: Window, now_seconds: float) -> bool:
    """Store a window unless what is stored is as full; whether it was new.

    Generation, then fullness, decide; a fuller one replaces the stored and is not judged again.
    """
    counted = window.fullness
    key = str(window.window_id)
    known = connection.execute(
        select(WINDOWS.c.generation, WINDOWS.c.counted).where(WINDOWS.c.window_id == key)
    ).one_or_none()
    fullness = {"generation": window.generation, "counted": counted, "message": window.encode()}
    if known is None:
        connection.execute(insert(WINDOWS).values(**_row(window, now_seconds), **fullness))
    elif (window.generation, counted) > (known.generation, known.counted):
        connection.execute(update(WINDOWS).where(WINDOWS.c.window_id == key).values(**fullness))
    return known is None


def _row(window: Window, now_seconds: float) -> dict[str, object]:
    return {
        **_series(window.segment, window.metric, window.group, window.interval_seconds),
        "window_id": str(window.window_id),
        "evaluator": window.evaluator,
        "evaluator_version": window.evaluator_version,
        "start_seconds": window.window_start.timestamp(),
        "end_seconds": window.window_end.timestamp(),
        "arrived_at_seconds": now_seconds,
        "judged": False,
    }


def _series(segment: Segment, metric: str, group: str, interval_seconds: int) -> dict[str, object]:
    return {
        "tenant": segment.tenant,
        "app": segment.app,
        "environment": segment.environment,
        "version": segment.version,
        "metric": metric,
        "group_name": group,
        "interval_seconds": interval_seconds,
    }


def unjudged(connection: Connection, arrived_before_seconds: float) -> Sequence[Row[Any]]:
    """Windows that no step has judged, oldest first."""
    statement = select(WINDOWS).where(~WINDOWS.c.judged, WINDOWS.c.arrived_at_seconds <= arrived_before_seconds)
    return connection.execute(statement.order_by(WINDOWS.c.start_seconds).limit(BATCH)).all()


def observations(connection: Connection, rows: Sequence[Row[Any]]) -> list[Observation]:
    """The windows that `rows` belong to, each with all of its source partitions, by start, the fullest first."""
    found: dict[tuple[object, ...], Observation] = {}
    columns = [WINDOWS.c[name] for name in (*_START, "interval_seconds", "start_seconds")]
    for key in {tuple(getattr(row, column.name) for column in columns) for row in rows}:
        statement = select(WINDOWS.c.message).where(tuple_(*columns) == key)
        found[key] = _observation([Window.decode(message) for message in connection.execute(statement).scalars()])
    return sorted(found.values(), key=lambda each: (each.start, -each.aggregate.count, each.evaluator_version))


def _observation(parts: Sequence[Window]) -> Observation:
    first = parts[0]
    return Observation(
        segment=first.segment,
        metric=first.metric,
        group=first.group,
        evaluator=first.evaluator,
        evaluator_version=first.evaluator_version,
        interval_seconds=first.interval_seconds,
        start=first.window_start,
        end=first.window_end,
        aggregate=merge(parts),
        drift=tuple(part.drift for part in parts if part.drift is not None),
    )


def silent(connection: Connection, now_seconds: float, *, late: int, recent: int, groups: bool) -> list[Observation]:
    """An empty window for each series that has stopped, those of groups only where asked for: of no calls comes none.

    It is the newest one that is `late` intervals old, too old for another to come and be judged. Series whose last
    window is more than `recent` intervals older have been told of.
    """
    columns = [WINDOWS.c[name] for name in (*_START[:6], "interval_seconds")]
    newest = (
        select(*columns, func.max(WINDOWS.c.start_seconds).label("start_seconds"))
        .where(WINDOWS.c.start_seconds >= now_seconds - (late + recent + 2) * WINDOWS.c.interval_seconds)
        .where(true() if groups else WINDOWS.c.group_name == "")
        .group_by(*columns)
    )
    found = []
    for row in connection.execute(newest).all():
        start = (now_seconds // row.interval_seconds - late - 1) * row.interval_seconds
        if start - recent * row.interval_seconds <= row.start_seconds < start:
            last = tuple_(*columns, WINDOWS.c.start_seconds) == tuple(row)
            message = connection.execute(select(WINDOWS.c.message).where(last).limit(1)).scalar_one()
            found.append(_emptied(_observation([Window.decode(message)]), start))
    return found


def _emptied(observation: Observation, start_seconds: float) -> Observation:
    start = datetime.fromtimestamp(start_seconds, UTC)
    end = start + (observation.end - observation.start)
    return replace(observation, start=start, end=end, aggregate=Aggregate(), drift=())


def mark_judged(connection: Connection, rows: Iterable[Row[Any]]) -> None:
    """Never judge these windows again."""
    ids = [row.window_id for row in rows]
    connection.execute(update(WINDOWS).where(WINDOWS.c.window_id.in_(ids)).values(judged=True))


def shortest_interval(connection: Connection, observation: Observation, since_seconds: float) -> int:
    """The shortest interval in which the metric of this target and group has come since then."""
    segment = observation.segment
    statement = select(func.min(WINDOWS.c.interval_seconds)).where(
        WINDOWS.c.tenant == segment.tenant,
        WINDOWS.c.app == segment.app,
        WINDOWS.c.environment == segment.environment,
        WINDOWS.c.version == segment.version,
        WINDOWS.c.metric == observation.metric,
        WINDOWS.c.group_name == observation.group,
        WINDOWS.c.end_seconds > since_seconds,
    )
    return connection.execute(statement).scalar() or observation.interval_seconds


def baseline(connection: Connection, observation: Observation, version: str, windows: int) -> Baseline:
    """The newest `windows` windows of the same metric by the same evaluator of another version."""
    segment = msgspec.structs.replace(observation.segment, version=version)
    series = _series(segment, observation.metric, observation.group, observation.interval_seconds)
    series |= {"evaluator": observation.evaluator, "evaluator_version": observation.evaluator_version}
    statement = select(WINDOWS.c.start_seconds, WINDOWS.c.message).where(
        *(WINDOWS.c[name] == value for name, value in series.items()),
        WINDOWS.c.start_seconds < observation.start.timestamp(),
    )
    rows = connection.execute(statement.order_by(WINDOWS.c.start_seconds.desc()).limit(windows)).all()
    decoded = [(row.start_seconds, Window.decode(row.message)) for row in rows]
    by_start = groupby(decoded, key=lambda pair: pair[0])
    parts = [merge(window for _, window in pairs) for _, pairs in by_start]
    return Baseline(version, merge(window for _, window in decoded), tuple(parts))


def groups(connection: Connection, observation: Observation, windows: int) -> dict[str, Aggregate]:
    """The calls of each group (`attribute=value`) in the `windows` intervals that end with the observed one."""
    series = _series(observation.segment, observation.metric, "", observation.interval_seconds)
    del series["group_name"]
    series |= {"evaluator": observation.evaluator, "evaluator_version": observation.evaluator_version}
    last = observation.start.timestamp()
    statement = select(WINDOWS.c.group_name, WINDOWS.c.message).where(
        *(WINDOWS.c[name] == value for name, value in series.items()),
        WINDOWS.c.group_name != "",
        WINDOWS.c.start_seconds.between(last - (windows - 1) * observation.interval_seconds, last),
    )
    found: dict[str, list[Aggregate]] = defaultdict(list)
    for row in connection.execute(statement):
        found[row.group_name].append(merge([Window.decode(row.message)]))
    return {group: together(parts) for group, parts in found.items()}


def of_all_streams(connection: Connection, observation: Observation, windows: int) -> list[Observation]:
    """All windows by the same evaluator in the `windows` intervals that end with the observed one."""
    last = observation.end.timestamp()
    columns = [WINDOWS.c[name] for name in (*_START, "start_seconds")]
    statement = select(*columns, WINDOWS.c.message).where(
        WINDOWS.c.evaluator == observation.evaluator,
        WINDOWS.c.interval_seconds == observation.interval_seconds,
        WINDOWS.c.end_seconds.between(last - (windows - 1) * observation.interval_seconds, last),
    )
    found: dict[tuple[object, ...], list[Window]] = defaultdict(list)
    for *key, message in connection.execute(statement):
        found[tuple(key)].append(Window.decode(message))
    return [_observation(parts) for parts in found.values()]


def progress(connection: Connection, fingerprint: str) -> Progress:
    """Where an alert stands."""
    statement = select(STANDINGS.c.progress).where(STANDINGS.c.fingerprint == fingerprint)
    stored = connection.execute(statement).scalar()
    return _PROGRESS.decode(stored) if stored else Progress()


def save(
    connection: Connection, fingerprint: str, progress: Progress, *, rule: str, alert: Alert | None, now_seconds: float
) -> None:
    """Keep where an alert stands, and the message that told so last."""
    values: dict[str, object] = {"rule": rule, "state": progress.state, "changed_at_seconds": now_seconds}
    values |= {"progress": msgspec.json.encode(progress)} | ({"alert": alert.encode()} if alert else {})
    same = STANDINGS.c.fingerprint == fingerprint
    if not connection.execute(update(STANDINGS).where(same).values(values)).rowcount:
        connection.execute(insert(STANDINGS).values(fingerprint=fingerprint, **values))


def firing(connection: Connection) -> list[tuple[Alert, Progress, float | None]]:
    """Every alert that fires, where it stands, and when people were last told (seconds)."""
    statement = select(STANDINGS).where(STANDINGS.c.state == "firing", STANDINGS.c.alert.is_not(None))
    return [
        (Alert.decode(row.alert), _PROGRESS.decode(row.progress), row.notified_at_seconds)
        for row in connection.execute(statement).all()
    ]


def publish(connection: Connection, outbox: Outbox, alert: Alert) -> None:
    """Send a change of an alert with this transaction."""
    outbox.add(connection, alert, ALERTS)


def segments(connection: Connection, before_seconds: float) -> list[Segment]:
    """Whose windows are older."""
    columns = [WINDOWS.c[name] for name in Segment.__struct_fields__]
    statement = select(*columns).where(WINDOWS.c.end_seconds < before_seconds).distinct()
    return [Segment(**row._mapping) for row in connection.execute(statement)]


def heard_of(connection: Connection, interval_seconds: int, since_seconds: float) -> set[Segment]:
    """Who has windows of this interval that ended since then."""
    columns = [WINDOWS.c[name] for name in Segment.__struct_fields__]
    recent = (WINDOWS.c.end_seconds >= since_seconds) & (WINDOWS.c.interval_seconds == interval_seconds)
    return {Segment(**row._mapping) for row in connection.execute(select(*columns).where(recent).distinct())}


def comes(connection: Connection, alert: Alert, since_seconds: float) -> bool:
    """Whether windows of all calls, of the metric that an alert is about, have ended since then."""
    series = _series(alert.segment, alert.metric, "", alert.interval_seconds)
    own = [WINDOWS.c[name] == value for name, value in series.items()]
    statement = select(WINDOWS.c.window_id).where(*own, WINDOWS.c.end_seconds > since_seconds)
    return connection.execute(statement.limit(1)).scalar() is not None


def evaluators(connection: Connection, alert: Alert, since_seconds: float) -> set[tuple[str, str]]:
    """By which evaluators and versions what an alert is about has had windows that ended since then."""
    series = _series(alert.segment, alert.metric, alert.group, alert.interval_seconds)
    own = [WINDOWS.c[name] == value for name, value in series.items()]
    statement = select(WINDOWS.c.evaluator, WINDOWS.c.evaluator_version)
    rows = connection.execute(statement.where(*own, WINDOWS.c.end_seconds > since_seconds).distinct())
    return {(row.evaluator, row.evaluator_version) for row in rows}


def forget_windows(connection: Connection, segment: Segment, before_seconds: float) -> None:
    """Drop the judged windows of a version that are older."""
    own = [WINDOWS.c[name] == value for name, value in msgspec.structs.asdict(segment).items()]
    connection.execute(delete(WINDOWS).where(*own, WINDOWS.c.end_seconds < before_seconds, WINDOWS.c.judged))


def forget(connection: Connection, before_seconds: float) -> None:
    """Drop where alerts stand that do not fire, and notifications, that are older."""
    idle = (STANDINGS.c.state != "firing") & (STANDINGS.c.changed_at_seconds < before_seconds)
    connection.execute(delete(STANDINGS).where(idle))
    connection.execute(delete(NOTIFICATIONS).where(NOTIFICATIONS.c.added_at_seconds < before_seconds))


class Notifications:
    """What is to be sent to people, and what came of it; one row for each channel."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @staticmethod
    def add(connection: Connection, alert: Alert, channels: Iterable[str], now_seconds: float) -> None:
        """Tell every channel, with the caller's transaction."""
        for channel in channels:
            row = {"channel": channel, "fingerprint": alert.fingerprint, "severity": alert.severity}
            row |= {"title": f"[{alert.state}] {alert.rule}: {alert.segment.app}", "body": alert.summary}
            times = {"added_at_seconds": now_seconds, "due_at_seconds": now_seconds}
            connection.execute(insert(NOTIFICATIONS).values(**row, **times, attempts=0))
        told = update(STANDINGS).where(STANDINGS.c.fingerprint == alert.fingerprint)
        connection.execute(told.values(notified_at_seconds=now_seconds))

    def due(self, channel: str, now_seconds: float) -> Row[Any] | None:
        """What is to be sent next through a channel, the oldest; None where nothing is.

        What is told of one alert is sent in order: a change waits until the one before it is taken or given up.
        """
        open_ = NOTIFICATIONS.c.sent_at_seconds.is_(None) & (NOTIFICATIONS.c.due_at_seconds <= now_seconds)
        earlier = NOTIFICATIONS.alias("earlier")
        waits = exists().where(
            earlier.c.sent_at_seconds.is_(None),
            earlier.c.channel == NOTIFICATIONS.c.channel,
            earlier.c.fingerprint == NOTIFICATIONS.c.fingerprint,
            earlier.c.id < NOTIFICATIONS.c.id,
        )
        own = select(NOTIFICATIONS).where(open_, NOTIFICATIONS.c.channel == channel, ~waits)
        with self._engine.connect() as connection:
            return connection.execute(own.order_by(NOTIFICATIONS.c.id).limit(1)).one_or_none()

    def give_up(self, channels: Iterable[str], now_seconds: float) -> int:
        """Send nothing more through any but these `channels`; how many notifications that ends."""
        gone = NOTIFICATIONS.c.sent_at_seconds.is_(None) & NOTIFICATIONS.c.channel.not_in(list(channels))
        given_up = update(NOTIFICATIONS).where(gone).values(sent_at_seconds=now_seconds, error="given up")
        with self._engine.begin() as connection:
            return connection.execute(given_up).rowcount

    def sent(self, row: Row[Any], now_seconds: float) -> None:
        """Remember that a channel has taken it."""
        self._set(row, sent_at_seconds=now_seconds, attempts=row.attempts + 1, error=None)

    def failed(self, row: Row[Any], due_at_seconds: float, error: str) -> None:
        """Remember that a channel has not taken it, and when to try again."""
        self._set(row, due_at_seconds=due_at_seconds, attempts=row.attempts + 1, error=error)

    def _set(self, row: Row[Any], **values: object) -> None:
        with self._engine.begin() as connection:
            connection.execute(update(NOTIFICATIONS).where(NOTIFICATIONS.c.id == row.id).values(**values))
