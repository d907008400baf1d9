"""What came of a decision."""

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from schemas.messages.message import Json, Message, Name, Timestamp
from schemas.messages.segment import Target

State = Literal["proposed", "approved", "executing", "verifying", "done", "failed", "refused", "inconclusive"]
OPEN: tuple[State, ...] = ("proposed", "approved", "executing", "verifying")  # others are ends


class Outcome(Message, frozen=True, kw_only=True, tag="outcome.v1"):
    """One step of one decision: every change of its state is an outcome."""

    outcome_id: UUID  # uuid5 of decision_id, state and step
    decision_id: UUID
    kind: Literal["rollback", "promote"]
    target: Target
    policy: Name
    state: State
    step: int  # counts the outcomes of one decision from 0
    actor: Name  # the service or person that took the step
    from_version: Name
    to_version: Name
    alert_id: UUID | None = None
    reason: str
    evidence: Mapping[str, Json] = {}
    changed_at: Timestamp

    @property
    def key(self) -> str:
        """The target."""
        return self.target.key
