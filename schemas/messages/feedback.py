"""What a person or a later process said of a call."""

from typing import Literal
from uuid import UUID

from schemas.messages.message import Message, Name, Timestamp


class Feedback(Message, frozen=True, kw_only=True, tag="feedback.v1"):
    """One opinion on one call.

    `value`: thumbs -1 or 1, stars 1 to 5, acceptance 0 or 1; `text`: the comment, the edited response or the late
    reference.
    """

    feedback_id: UUID
    call_id: UUID
    tenant: str = ""  # stamped by the gateway from the credential
    kind: Literal["thumbs", "stars", "acceptance", "edit", "comment", "reference"]
    given_at: Timestamp
    value: float | None = None
    text: str | None = None
    user_id: str | None = None
    source: Name | None = None

    @property
    def key(self) -> str:
        """`tenant|call_id`: what is said of one call keeps its order."""
        return f"{self.tenant}|{self.call_id}"
