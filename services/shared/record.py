"""A message with its origin."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Generic, TypeVar

import msgspec

from schemas.messages import Message

REPLAY_HEADER = "tidemark-replay"
REDRIVE_HEADER = "tidemark-redrive"

M = TypeVar("M", bound=Message)
Headers = Sequence[tuple[str, bytes]]


class Record(msgspec.Struct, Generic[M], frozen=True, gc=False):
    """A decoded message and where it came from.

    `topic` is without the prefix. Offsets count within one `broker_run` only.
    """

    message: M
    topic: str
    partition: int
    offset: int
    broker_run: str
    timestamp_ms: int
    headers: Headers = ()

    @property
    def replayed(self) -> bool:
        """Whether it is emitted from what `tidemark replay` reads again: it must cause no action."""
        return is_replayed(self.headers)

    @property
    def timestamp(self) -> datetime:
        """When Kafka took it."""
        return datetime.fromtimestamp(self.timestamp_ms / 1000, UTC)


def is_replayed(headers: Headers) -> bool:
    """Whether the mark of a replay is among `headers`."""
    return bool(headers) and any(name == REPLAY_HEADER for name, _ in headers)
