"""From one window and one rule to the next state of an alert and its message."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from schemas.ids import derived_id
from schemas.messages import Alert
from schemas.messages.alert import REPLACED
from services.alerter.alerter.evaluation import Baseline, Observation, Verdict, evaluate
from services.alerter.alerter.lifecycle import Change, Progress, advance
from services.alerter.alerter.rules import (
    AnyRule,
    ChangeRule,
    DisparityRule,
    DriftRule,
    HealthRule,
    Rule,
    ThresholdRule,
)
from services.alerter.alerter.summary import summary

LONGEST_FINGERPRINT = 200  # what a message's names may hold
Kind = Literal["threshold", "health", "change", "drift"]
KINDS: Mapping[type[Rule], Kind] = {
    ThresholdRule: "threshold",
    HealthRule: "health",
    ChangeRule: "change",
    DriftRule: "drift",
    DisparityRule: "change",  # against other groups and not another version: the message knows no kind of its own
}


@dataclass(frozen=True)
class Judgement:
    """Where an alert stands after a window; `alert` only where there is something to tell."""

    fingerprint: str
    progress: Progress
    verdict: Verdict
    alert: Alert | None


def judge(
    rule: AnyRule, observation: Observation, baseline: Baseline | None, *, progress: Progress, now: datetime
) -> Judgement:
    """Evaluate one window under one rule; the same window a second time changes nothing."""
    verdict = evaluate(rule, observation, baseline)
    after, change = advance(
        progress, verdict, observation.start, rule=rule, interval_seconds=observation.interval_seconds
    )
    name = fingerprint(rule, observation)
    since = after.first_start or progress.first_start or observation.start
    alert = _alert(rule, observation, verdict, change=change, since=since, now=now) if change else None
    return Judgement(name, after, verdict, alert)


def withdrawn(alert: Alert, why: str, now: datetime, *, replaced: bool) -> Alert:
    """The end of an alert that no window will ever resolve; `replaced`: its version left service, not its trouble."""
    text = f"{alert.metric} of {alert.segment.app} in {alert.segment.environment}: {why}"
    labels = {**alert.labels, REPLACED: "true"} if replaced else alert.labels
    return msgspec.structs.replace(alert, state="resolved", summary=text, changed_at=now, labels=labels)


def fingerprint(rule: AnyRule, observation: Observation) -> str:
    """What is wrong: rule, segment, metric and group; shortened by a hash where a message could not hold it."""
    full = "|".join([rule.name, observation.segment.key, observation.metric, observation.group])
    if len(full) <= LONGEST_FINGERPRINT:
        return full
    digest = hashlib.sha256(full.encode()).hexdigest()[:32]
    return f"{full[: LONGEST_FINGERPRINT - 33]}#{digest}"


def alert_id(fingerprint: str, first_start: datetime) -> UUID:
    """The id of one occurrence of an alert."""
    return derived_id("alert", fingerprint, first_start)


def _alert(
    rule: AnyRule, observation: Observation, verdict: Verdict, *, change: Change, since: datetime, now: datetime
) -> Alert:
    name = fingerprint(rule, observation)
    return Alert(
        alert_id=alert_id(name, since),
        fingerprint=name,
        rule=rule.name,
        kind=KINDS[type(rule)],
        state="resolved" if change == "resolved" else "firing",
        severity=rule.severity,
        segment=observation.segment,
        metric=observation.metric,
        group=observation.group,
        summary=summary(rule, observation, verdict, change, since),
        value=verdict.value,
        threshold=verdict.threshold,
        baseline_version=verdict.baseline.version if verdict.baseline else None,
        baseline_value=verdict.baseline_value,
        count=_count(observation),
        interval_seconds=observation.interval_seconds,
        first_window_start=since,
        window_start=observation.start,
        window_end=observation.end,
        changed_at=now,
        labels=_labels(rule, observation, verdict),
    )


def _count(observation: Observation) -> int:
    return max([observation.aggregate.count, *(test.sample_size for test in observation.drift)])


def _labels(rule: AnyRule, observation: Observation, verdict: Verdict) -> dict[str, str]:
    labels = {"evaluator": observation.evaluator, "evaluator_version": observation.evaluator_version}
    if verdict.p_value is not None:
        labels["p_value"] = f"{verdict.p_value:.3g}"
    if not isinstance(rule, DriftRule):
        labels |= {"statistic": rule.statistic, "direction": rule.direction}
    if isinstance(rule, DisparityRule) and observation.disparity:
        labels |= {"compare": rule.compare, "compared_with": "the other groups"} | _interval_labels(verdict)
        if (impact := observation.disparity.impact) is not None:
            labels["four_fifths_ratio"] = f"{impact:.3g}"
    return labels


def _interval_labels(verdict: Verdict) -> dict[str, str]:
    if verdict.interval is None:
        return {}
    return {"interval_low": f"{verdict.interval.low:.3g}", "interval_high": f"{verdict.interval.high:.3g}"}
