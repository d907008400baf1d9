"""One metric of one call."""

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

import msgspec

from schemas.messages.message import InclusionProbability, Message, Name, Timestamp
from schemas.messages.segment import Segment

Status = Literal["scored", "not_scored", "failed"]


class Span(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Characters `start` to `end` (exclusive) of the call's `field`, and what is wrong with them."""

    field: Name
    start: int
    end: int
    kind: Name
    value: float | None = None


class Score(Message, frozen=True, kw_only=True, tag="score.v1"):
    """One metric of one call, by one evaluator version."""

    score_id: UUID  # uuid5 of call_id, metric, evaluator and its version: the same work gives the same id
    call_id: UUID
    segment: Segment
    called_at: Timestamp
    metric: Name
    status: Status
    value: float | None = None  # in the metric's unit; None unless scored
    label: bool | None = None  # true exactly when the value is at or above the documented threshold
    reason: str | None = None  # why not; None when scored
    evidence: tuple[Span, ...] = ()
    statistics: Mapping[str, float] = {}  # what is added up where a window's value is no mean (corpus BLEU)
    evaluator: Name
    evaluator_version: Name
    input_at: Timestamp | None = None  # newest event time among the inputs; None means called_at
    inclusion_probability: InclusionProbability = 1.0
    groups: Mapping[str, str] = {}
    synthetic: bool = False

    @property
    def key(self) -> str:
        """The segment."""
        return self.segment.key
