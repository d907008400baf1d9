"""Whether the alert's own metrics are well again on the restored version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Literal, get_args
from uuid import UUID

from schemas.messages import Alert, Window
from schemas.messages.message import Json
from services.rollback.rollback.policies import Verification
from services.shared.aggregate import Aggregate, Statistic, merge

GRACE_SECONDS = 30.0  # for windows on their way into the store
STATISTICS: Mapping[str, Statistic] = {name: name for name in get_args(Statistic)}


@dataclass(frozen=True)
class Recovery:
    """What the windows since the switch say; `evidence` has one entry an alert."""

    verdict: Literal["healthy", "unhealthy", "waiting"]
    evidence: tuple[dict[str, Json], ...]

    @property
    def reason(self) -> str:
        """One sentence for the outcome."""
        return "; ".join(str(entry["said"]) for entry in self.evidence)


def recovery(alerts: Sequence[Alert], windows: Mapping[UUID, Sequence[Window]], verification: Verification) -> Recovery:
    """Judge the restored version by the metrics of `alerts`; `windows` are those since the switch, by alert id.

    Each metric is judged once it has enough windows with enough calls. One unhealthy metric is enough, one that
    waits keeps the others waiting: silence is no recovery.
    """
    found = [_of_one(alert, windows.get(alert.alert_id, ()), verification) for alert in alerts]
    verdicts = {verdict for verdict, _ in found}
    evidence = tuple(entry for _, entry in found)
    if "unhealthy" in verdicts:
        return Recovery("unhealthy", evidence)
    return Recovery("healthy" if verdicts == {"healthy"} else "waiting", evidence)


def deadline(alerts: Sequence[Alert], switched_at: datetime, verification: Verification) -> datetime:
    """When waiting for windows ends."""
    longest = max(alert.interval_seconds for alert in alerts)
    return switched_at + timedelta(seconds=verification.deadline_intervals * longest + GRACE_SECONDS)


def _of_one(
    alert: Alert, windows: Sequence[Window], verification: Verification
) -> tuple[Literal["healthy", "unhealthy", "waiting"], dict[str, Json]]:
    ordered = sorted(windows, key=lambda window: window.window_start)
    starts = [list(parts) for _, parts in groupby(ordered, key=lambda window: window.window_start)]
    together = merge(part for parts in starts for part in parts)
    after = _level(together, _statistic(alert), len(starts))
    entry: dict[str, Json] = {"alert_id": str(alert.alert_id), "metric": alert.metric, "before": alert.value}
    entry |= {"after": after, "threshold": alert.threshold, "windows": len(starts), "count": together.count}
    if len(starts) < verification.windows or together.count < verification.minimum_count or after is None:
        return "waiting", entry | {"said": f"{alert.metric}: {together.count} calls in {len(starts)} windows so far"}
    change = f"{alert.metric}: {_number(alert.value)} before, {after:.3g} after"
    if _healthy(alert, after, ordered):
        return "healthy", entry | {"said": change}
    return "unhealthy", entry | {"said": f"{change}, which is not healthy"}


def _level(together: Aggregate, statistic: Statistic, windows: int) -> float | None:
    """What the alert's threshold is a level of: `count` adds up, and the threshold is one window's."""
    value = together.statistic(statistic)
    return value / windows if statistic == "count" and value is not None and windows else value


def _healthy(alert: Alert, after: float, windows: Sequence[Window]) -> bool:
    if alert.kind == "drift":
        smallest = alert.threshold or 0.0  # the smallest effect that matters to its rule
        return any(test.p_value > 0.05 or test.statistic < smallest for each in windows if (test := each.drift))
    if alert.threshold is None:
        return False
    return after > alert.threshold if alert.labels.get("direction") == "below" else after < alert.threshold


def _statistic(alert: Alert) -> Statistic:
    return STATISTICS.get(alert.labels.get("statistic", ""), "mean")


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g}"
