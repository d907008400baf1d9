"""What is wrong."""

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from schemas.messages.message import Message, Name, Timestamp
from schemas.messages.segment import Segment

REPLACED = "replaced"  # the label of an alert that ended because its version left service: no recovery


class Alert(Message, frozen=True, kw_only=True, tag="alert.v1"):
    """One change of one alert: it fired, it got worse, it resolved.

    `fingerprint` names what is wrong (rule, segment, metric, group); `alert_id` names one occurrence of it.
    """

    alert_id: UUID
    fingerprint: Name
    rule: Name
    kind: Literal["threshold", "change", "drift", "no_data", "burn_rate", "guardrail", "health"]
    state: Literal["firing", "resolved"]
    severity: Literal["info", "warning", "critical"]
    segment: Segment
    metric: Name
    group: str = ""
    summary: str
    value: float | None = None
    threshold: float | None = None
    baseline_version: str | None = None
    baseline_value: float | None = None
    count: int = 0
    interval_seconds: int
    first_window_start: Timestamp  # of the first of the windows in a row that fired it
    window_start: Timestamp
    window_end: Timestamp
    changed_at: Timestamp
    labels: Mapping[str, str] = {}

    @property
    def key(self) -> str:
        """The fingerprint."""
        return self.fingerprint
