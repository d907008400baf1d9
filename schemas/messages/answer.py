"""The fingerprint of one answer to one question."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

import msgspec

from schemas.messages.message import InclusionProbability, Message, Name, Timestamp
from schemas.messages.segment import Segment


class Answer(Message, frozen=True, kw_only=True, tag="answer.v1"):
    """What a call asked and was answered, without a word of either.

    `question` and `digest` are hashes, equal exactly where the question and the answer are the same; `sketch` says how
    much two answers have in common. Those of another version of the fingerprints have other questions.
    """

    call_id: UUID
    segment: Segment
    called_at: Timestamp
    question: Name
    digest: Name
    sketch: bytes  # the smallest hashes of words and pairs of words, each a little-endian unsigned 32-bit number
    characters: Annotated[int, msgspec.Meta(ge=0)] = 0  # of the response's text
    inclusion_probability: InclusionProbability = 1.0
    groups: Mapping[str, str] = {}
    synthetic: bool = False

    @property
    def key(self) -> str:
        """`segment|question`: all answers to one question, in their order."""
        return f"{self.segment.key}|{self.question}"
