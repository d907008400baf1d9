"""The order to act."""

from typing import Literal
from uuid import UUID

from schemas.messages.message import Message, Name, Timestamp
from schemas.messages.segment import Target


class Command(Message, frozen=True, kw_only=True, tag="command.v1"):
    """One order for one target; a command that comes twice has one effect."""

    decision_id: UUID
    kind: Literal["rollback", "promote"]
    target: Target
    from_version: Name
    to_version: Name
    expected_revision: int  # of the deployment; another one means that somebody was faster
    fencing_token: int
    policy: Name
    alert_id: UUID | None = None
    reason: str
    issued_at: Timestamp

    @property
    def key(self) -> str:
        """The target."""
        return self.target.key
