"""Where one text of a call lies in the encoder's space."""

from typing import Literal
from uuid import UUID

from schemas.messages.message import InclusionProbability, Message, Name, Timestamp
from schemas.messages.segment import Segment


class Embedding(Message, frozen=True, kw_only=True, tag="embedding.v1"):
    """The unit-length embedding of a call's prompt or response.

    `vector` holds `dimension` little-endian float32 values (base64 in JSON).
    """

    embedding_id: UUID
    call_id: UUID
    segment: Segment
    called_at: Timestamp
    field: Literal["prompt", "response"]
    encoder: Name
    encoder_version: Name
    dimension: int
    vector: bytes
    session_id: str | None = None
    inclusion_probability: InclusionProbability = 1.0
    synthetic: bool = False

    @property
    def key(self) -> str:
        """The segment."""
        return self.segment.key
