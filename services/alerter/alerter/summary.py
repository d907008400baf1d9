"""One sentence for the person who is woken."""

from collections.abc import Mapping
from datetime import datetime

from services.alerter.alerter.evaluation import Observation, Verdict
from services.alerter.alerter.lifecycle import Change
from services.alerter.alerter.rules import AnyRule, DisparityRule, DriftRule, HealthRule
from services.shared.readable import readable

PHRASES: Mapping[str, str] = {
    "mean": "on average",
    "label_rate": "of the calls",
    "p50": "in the median",
    "p95": "at the 95th percentile",
    "p99": "at the 99th percentile",
    "count": "calls a window",
}


def summary(rule: AnyRule, observation: Observation, verdict: Verdict, change: Change, since: datetime) -> str:
    """What is wrong, how much, compared with what, for whom, since when.

    Like "response_toxicity of docs-bot v2 in production is 0.41 on average, 8 times v1's 0.05, since 14:03:25 UTC".
    """
    if isinstance(rule, HealthRule):
        return _health(observation, verdict, change, since)
    what = f"{observation.metric} of {subject(observation)}"
    if change == "resolved":
        return f"{what} is back to normal{_level(rule, verdict)}; it was not since {since:%H:%M:%S} UTC"
    if isinstance(rule, DriftRule):
        other = f"{verdict.baseline.version}'s reference" if verdict.baseline else "its reference"
        p_value = 1.0 if verdict.p_value is None else verdict.p_value
        return f"{what} has moved away from {other} (p = {p_value:.2g}) since {since:%H:%M:%S} UTC"
    worse = "has grown worse and is now" if change == "worse" else "is"
    return f"{what} {worse}{_level(rule, verdict)}{_comparison(rule, verdict)}, since {since:%H:%M:%S} UTC"


def _health(observation: Observation, verdict: Verdict, change: Change, since: datetime) -> str:
    what = f"Tidemark itself: {observation.metric.replace('_', ' ')}"
    if change == "resolved":
        return f"{what}: none any more; there were since {since:%H:%M:%S} UTC"
    number_now = f"{verdict.value or 0.0:,.10g}"
    return f"{what}: {number_now}, seen at {since:%H:%M:%S} UTC; the page's line Completeness says where"


def subject(observation: Observation) -> str:
    """Whose calls: application, version, environment, and the group where it is one."""
    segment = observation.segment
    group = f" for {observation.group}" if observation.group else ""
    return f"{segment.app} {segment.version} in {segment.environment}{group}"


def _level(rule: AnyRule, verdict: Verdict) -> str:
    if verdict.value is None or isinstance(rule, DriftRule):
        return ""
    return f" {number(verdict.value, rule.statistic)} {PHRASES[rule.statistic]}"


def _comparison(rule: AnyRule, verdict: Verdict) -> str:
    if isinstance(rule, DriftRule) or verdict.value is None:
        return ""
    base = verdict.baseline_value
    if isinstance(rule, DisparityRule):
        return _against(f"the other groups' {number(base or 0.0, rule.statistic)}", verdict.value, base or 0.0)
    if base is None or verdict.baseline is None:
        return f" (allowed: {number(verdict.threshold or 0.0, rule.statistic)})"
    return _against(f"{verdict.baseline.version}'s {number(base, rule.statistic)}", verdict.value, base)


def _against(was: str, value: float, base: float) -> str:
    ratio = value / base if base > 0 else 0.0
    return f", {ratio:.3g} times {was}" if ratio >= 1.5 else f" against {was}"


def number(value: float, statistic: str) -> str:
    """A value as people read it, rates in per cent."""
    return f"{value * 100:.3g} %" if statistic == "label_rate" else readable(value)
