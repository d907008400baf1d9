"""Windows recorded, judged when they are due, and what changed told: all of it in the alerter's own store."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import Connection, Engine

from schemas.messages import Alert, Deployment, Segment, Window
from services.alerter import store
from services.alerter.alerter.discovery import Stream, discoveries, stream_of
from services.alerter.alerter.evaluation import Baseline, Observation, baseline_version, compared, serves, tested
from services.alerter.alerter.judgement import fingerprint, judge, withdrawn
from services.alerter.alerter.lifecycle import GAP_INTERVALS, Progress
from services.alerter.alerter.rules import AnyRule, ChangeRule, DisparityRule, DriftRule
from services.alerter.metrics import ALERTS, LATE, WINDOWS
from services.shared.outbox import Outbox

LOG = logging.getLogger(__name__)
BASELINE_WINDOWS = 60  # what a threshold's alert is compared with in words: an hour of windows of a minute
RECENT_INTERVALS = 10


@dataclass(frozen=True)
class Timing:
    """Times in seconds and intervals; the settings of the same names say what they mean."""

    settle_seconds: float = 0.25
    late_intervals: int = 3
    retention_seconds: float = 172_800.0
    repeat_seconds: float = 14_400.0


class Watch:
    """Rules applied to windows; a step is one transaction, so a crash between two leaves nothing half done.

    `deployment` gives what serves a target by the target's key, or None. `channels` are told of every change.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        rules: Sequence[AnyRule],
        deployment: Callable[[str], Deployment | None],
        channels: Sequence[str] = (),
        timing: Timing = Timing(),
    ) -> None:
        self._engine, self._outbox = engine, Outbox(engine)
        self._rules, self._deployment = rules, deployment
        self._channels, self._timing = channels, timing
        self._named = {rule.name: rule for rule in rules}
        self._forgot_at_seconds = 0.0
        self._began = datetime.max.replace(tzinfo=UTC)

    def record(self, windows: Iterable[Window], now: datetime) -> None:
        """Store windows, each once; a fuller one replaces what is stored."""
        with self._engine.begin() as connection:
            for window in windows:
                new = store.keep_fuller(connection, window, now.timestamp())
                WINDOWS.labels("new" if new else "again").inc()

    def step(self, now: datetime) -> list[Alert]:
        """Judge what is due and tell what changed; the changes."""
        self._began = min(self._began, now)
        with self._engine.begin() as connection:
            alerts = [*self._judge_due(connection, now), *self._withdraw(connection, now)]
            self._remind(connection, now)
            self._forget(connection, now)
        for alert in alerts:
            ALERTS.labels(alert.rule, alert.state).inc()
            LOG.warning(alert.summary, extra={"alert_id": str(alert.alert_id), "state": alert.state})
        return alerts

    def _judge_due(self, connection: Connection, now: datetime) -> list[Alert]:
        rows = store.unjudged(connection, now.timestamp() - self._timing.settle_seconds)
        on_time = [row for row in rows if row.end_seconds >= now.timestamp() - self._late_seconds(row.interval_seconds)]
        LATE.inc(len(rows) - len(on_time))
        found = _Discoveries(connection)
        came = [
            (rule, judged)
            for observation in store.observations(connection, on_time)
            for rule in self._rules_for(connection, observation)
            for judged in self._judged(connection, found, rule, observation)
        ]
        alerts = [
            alert
            for rule, judged in [*came, *self._missed(connection, now)]
            if (alert := self._judge(connection, rule, judged, now=now))
        ]
        if rows:
            store.mark_judged(connection, rows)
        return alerts

    def _late_seconds(self, interval_seconds: int) -> float:
        return self._timing.late_intervals * interval_seconds

    def _rules_for(self, connection: Connection, observation: Observation) -> list[AnyRule]:
        covering = [
            rule for rule in self._rules if rule.covers(observation.segment, observation.metric, observation.group)
        ]
        if not covering:
            return []
        # A call of a longer window lies in a shorter one within it; one that ended before says how it was.
        shortest = store.shortest_interval(connection, observation, observation.start.timestamp())
        return [rule for rule in covering if observation.interval_seconds == (rule.interval_seconds or shortest)]

    def _missed(self, connection: Connection, now: datetime) -> Iterator[tuple[AnyRule, Observation]]:
        """What rules that count calls judge of versions that serve and get none."""
        counting = [rule for rule in self._rules if not isinstance(rule, DriftRule) and rule.statistic == "count"]
        if not counting:
            return
        late, groups = self._timing.late_intervals, any(rule.groups for rule in counting)
        for empty in store.silent(connection, now.timestamp(), late=late, recent=RECENT_INTERVALS, groups=groups):
            if empty.start < self._began:
                continue  # its windows may have come while this process was away, and are read only now
            deployment = self._deployment(empty.segment.target.key)
            if deployment and serves(empty.segment, deployment):
                yield from ((rule, empty) for rule in self._rules_for(connection, empty) if rule in counting)

    @staticmethod
    def _judged(
        connection: Connection, found: "_Discoveries", rule: AnyRule, observation: Observation
    ) -> Iterable[Observation]:
        if isinstance(rule, DriftRule):
            return [found.told(rule, observation)]
        if not isinstance(rule, DisparityRule):
            return [observation]
        return compared(rule, observation, store.groups(connection, observation, rule.windows))

    def _judge(self, connection: Connection, rule: AnyRule, observation: Observation, *, now: datetime) -> Alert | None:
        name = fingerprint(rule, observation)
        before = store.progress(connection, name)
        baseline = self._baseline(connection, rule, observation)
        judgement = judge(rule, observation, baseline, progress=before, now=now)
        if judgement.progress != before:
            self._save(connection, name, judgement.progress, rule=rule.name, alert=judgement.alert, now=now)
        return judgement.alert

    def _baseline(self, connection: Connection, rule: AnyRule, observation: Observation) -> Baseline | None:
        if isinstance(rule, DisparityRule):
            return None
        version = baseline_version(observation.segment, self._deployment(observation.segment.target.key))
        if version is None:
            return None
        windows = rule.baseline_windows if isinstance(rule, ChangeRule) else BASELINE_WINDOWS
        return store.baseline(connection, observation, version, windows)

    def _save(
        self,
        connection: Connection,
        name: str,
        progress: Progress,
        *,
        rule: str,
        alert: Alert | None,
        now: datetime,
    ) -> None:
        store.save(connection, name, progress, rule=rule, alert=alert, now_seconds=now.timestamp())
        if alert:
            store.publish(connection, self._outbox, alert)
            store.Notifications.add(connection, alert, self._channels, now.timestamp())

    def _withdraw(self, connection: Connection, now: datetime) -> list[Alert]:
        """Resolve what no window will resolve."""
        alerts = []
        for alert, progress, _ in store.firing(connection):
            silent_for = now - (progress.last_start or alert.window_start)
            left = self._left(connection, alert, silent_for, now=now)
            if why := self._over(alert, silent_for, left) or self._unjudged(connection, alert, silent_for, now=now):
                gone = withdrawn(alert, why, now, replaced=left is not None)
                idle = Progress(last_start=progress.last_start)
                self._save(connection, alert.fingerprint, idle, rule=alert.rule, alert=gone, now=now)
                alerts.append(gone)
        return alerts

    def _left(self, connection: Connection, alert: Alert, silent_for: timedelta, *, now: datetime) -> str | None:
        """Why the version of an alert is taken to have left service; None where it may serve.

        Of a target that was never deployed through the registry only its windows tell: where every version is silent,
        an outage looks the same, so it takes as long as windows are kept.
        """
        version = f"version {alert.segment.version}"
        deployment = self._deployment(alert.segment.target.key)
        if deployment is not None:
            return None if serves(alert.segment, deployment) else f"{version} does not serve any more"
        recent = timedelta(seconds=RECENT_INTERVALS * alert.interval_seconds)
        if silent_for <= recent:
            return None
        heard_of = store.heard_of(connection, alert.interval_seconds, (now - recent).timestamp())
        if alert.segment not in heard_of and any(each.target == alert.segment.target for each in heard_of):
            return f"{version} gets no calls any more, and another one does"
        if silent_for.total_seconds() > self._timing.retention_seconds:
            return f"no window of {version} could be judged for {self._timing.retention_seconds / 3600:.3g} hours"
        return None

    def _over(self, alert: Alert, silent_for: timedelta, left: str | None) -> str | None:
        """Why nothing judges the alert any more; None where something does."""
        rule = self._named.get(alert.rule)
        if rule is None:
            return f"there is no rule {alert.rule} any more"
        interval = timedelta(seconds=alert.interval_seconds)
        patience = (GAP_INTERVALS + 1) * interval
        if left is not None and silent_for > patience:
            return left
        # A window is judged when the next one is nearly over, and one may be missing.
        if isinstance(rule, DisparityRule) and silent_for > patience + rule.windows * interval:
            return f"too few calls of {alert.group}"
        return None

    def _unjudged(self, connection: Connection, alert: Alert, silent_for: timedelta, *, now: datetime) -> str | None:
        """Why nothing can be judged of an alert though calls come; None where it can, or where none come."""
        rule, interval = self._named[alert.rule], timedelta(seconds=alert.interval_seconds)
        patience = (GAP_INTERVALS + 1) * interval
        quiet = alert.group and silent_for > patience + rule.resolve_after * interval
        judged_by_itself = quiet and not isinstance(rule, DisparityRule)
        if judged_by_itself and store.comes(connection, alert, (now - patience).timestamp()):
            return f"too few calls of {alert.group}"
        if silent_for <= RECENT_INTERVALS * interval:
            return None
        own = (alert.labels.get("evaluator", ""), alert.labels.get("evaluator_version", ""))
        judging = store.evaluators(connection, alert, (now - RECENT_INTERVALS * interval).timestamp())
        if judging and own not in judging:
            return f"{' '.join(own)} scores no calls any more, and another evaluator does"
        return None

    def _remind(self, connection: Connection, now: datetime) -> None:
        for alert, _, notified_at_seconds in store.firing(connection):
            if now.timestamp() - (notified_at_seconds or 0.0) >= self._timing.repeat_seconds:
                store.Notifications.add(connection, alert, self._channels, now.timestamp())

    def _forget(self, connection: Connection, now: datetime) -> None:
        if now.timestamp() - self._forgot_at_seconds < 60.0:
            return
        before = now.timestamp() - self._timing.retention_seconds
        for segment in store.segments(connection, before):
            if not self._compared_with(segment):
                store.forget_windows(connection, segment, before)
        store.forget(connection, before)
        self._forgot_at_seconds = now.timestamp()

    def _compared_with(self, segment: Segment) -> bool:
        """Whether a version gets no calls any more, and the one that serves is compared with it."""
        deployment = self._deployment(segment.target.key)
        if deployment is None or serves(segment, deployment):
            return False
        serving = msgspec.structs.replace(segment, version=deployment.version)
        return baseline_version(serving, deployment) == segment.version


class _Discoveries:
    """Which drifts of one step are believed; all streams of an interval are read once, and where one might fire."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._found: dict[tuple[object, ...], frozenset[Stream]] = {}

    def told(self, rule: DriftRule, observation: Observation) -> Observation:
        """The observation with whether its drift is a discovery."""
        test = tested(rule, observation)
        if test is None or test.p_value > rule.p_value:
            return observation
        key = (rule.name, observation.evaluator, observation.interval_seconds, observation.end)
        if key not in self._found:
            # Windows of a row may be as far apart as a row allows.
            intervals = max(RECENT_INTERVALS, (GAP_INTERVALS + 1) * rule.fire_after)
            streams = store.of_all_streams(self._connection, observation, intervals)
            family = [each for each in streams if rule.covers(each.segment, each.metric, each.group)]
            self._found[key] = discoveries(rule, observation.start, family)
        return replace(observation, discovered=stream_of(observation) in self._found[key])
