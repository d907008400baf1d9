"""Inactive, pending, firing: what a row of windows makes of an alert."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from services.alerter.alerter.evaluation import Verdict
from services.alerter.alerter.rules import AnyRule, DriftRule

State = Literal["inactive", "pending", "firing"]
Change = Literal["fired", "worse", "resolved"]
WORSE_RATIO = 1.5  # half as much again: less would repeat itself with the noise of every window
GAP_INTERVALS = 3  # windows further apart than this are not in a row


@dataclass(frozen=True)
class Progress:
    """How far one alert has come; the default is where every alert starts.

    `breaches` and `healthy` count windows in a row, `told` is the worst value that a message has carried.
    """

    state: State = "inactive"
    breaches: int = 0
    healthy: int = 0
    first_start: datetime | None = None
    last_start: datetime | None = None
    told: float | None = None


def advance(
    progress: Progress, verdict: Verdict, start: datetime, *, rule: AnyRule, interval_seconds: int
) -> tuple[Progress, Change | None]:
    """Where the window that starts at `start` brings the alert, and the change to tell, if any.

    A window at or before the last one judged changes nothing; an unknown one neither fires nor resolves, and does
    not break a row unless more than three intervals pass.
    """
    if progress.last_start is not None and start <= progress.last_start:
        return progress, None
    if verdict.level == "unknown":
        return progress, None
    row = _broken_by_gap(progress, start, interval_seconds)
    row = replace(row, last_start=start)
    if row.state == "firing":
        return _while_firing(row, verdict, rule)
    return _before_firing(row, verdict, start, rule)


def _broken_by_gap(progress: Progress, start: datetime, interval_seconds: int) -> Progress:
    gap = timedelta(seconds=interval_seconds * GAP_INTERVALS)
    if progress.state != "pending" or progress.last_start is None or start - progress.last_start <= gap:
        return progress
    return Progress(last_start=progress.last_start)


def _before_firing(row: Progress, verdict: Verdict, start: datetime, rule: AnyRule) -> tuple[Progress, Change | None]:
    if verdict.level != "breach":
        return Progress(last_start=row.last_start), None
    first = row.first_start or start
    breaches = row.breaches + 1
    enough = breaches >= rule.fire_after and verdict.discovered
    if not (enough or verdict.strong):
        return replace(row, state="pending", breaches=breaches, first_start=first), None
    firing = Progress("firing", breaches, 0, first, row.last_start, verdict.value)
    return firing, "fired"


def _while_firing(row: Progress, verdict: Verdict, rule: AnyRule) -> tuple[Progress, Change | None]:
    if verdict.level == "healthy":
        healthy = row.healthy + 1
        if healthy >= rule.resolve_after:
            return Progress(last_start=row.last_start), "resolved"
        return replace(row, healthy=healthy), None
    row = replace(row, healthy=0)
    if verdict.level == "breach" and _worse(row, verdict, rule):
        return replace(row, told=verdict.value), "worse"
    return row, None


def _worse(row: Progress, verdict: Verdict, rule: AnyRule) -> bool:
    """Whether the distance to the bad side has grown by half since it was told.

    It is measured from the baseline; where there is none, or one that is no better than the threshold, from as far
    before the threshold as that is from 0.
    """
    if verdict.value is None or verdict.threshold is None or row.told is None:
        return False
    side = -1.0 if not isinstance(rule, DriftRule) and rule.direction == "below" else 1.0
    base = verdict.baseline_value
    room = side * (verdict.threshold - base) if base is not None else 0.0
    start = side * verdict.threshold - (room if room > 0.0 else abs(verdict.threshold))
    return side * verdict.value - start >= WORSE_RATIO * (side * row.told - start) > 0.0
