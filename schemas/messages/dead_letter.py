"""A message that a service could not take, with its origin and the reason."""

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from schemas.messages.message import Message, Name, Timestamp


class DeadLetter(Message, frozen=True, kw_only=True, tag="dead_letter.v1"):
    """The bytes as they came, where they came from, and why they could not be taken."""

    dead_letter_id: UUID  # uuid5 of service, broker run, topic, partition and offset
    service: Name
    stage: Literal["decode", "handle"]
    topic: Name  # without the prefix
    partition: int
    offset: int
    broker_run: str
    message_key: bytes | None = None
    message_value: bytes | None = None
    headers: Mapping[str, str] = {}
    error: Name  # the class of the error
    reason: str
    failed_at: Timestamp
    redrives: int = 0

    @property
    def key(self) -> str:
        """Where the message came from."""
        return f"{self.topic}|{self.partition}"
