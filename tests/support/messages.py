"""Builders of messages: a test names only what matters to it."""

from datetime import UTC, datetime

from schemas.ids import score_id, uuid7
from schemas.messages import Call, Score

CALLED_AT = datetime(2026, 1, 5, 12, 0, 0, tzinfo=UTC)


def a_call(**fields) -> Call:
    """A call."""
    given = {"call_id": uuid7(), "tenant": "t", "app": "a", "environment": "test", "version": "v1"}
    return Call(**{**given, "called_at": CALLED_AT, "prompt": "why?", "response": "because", **fields})


def a_score_of(call: Call, value: float = 1.0, metric: str = "length") -> Score:
    """A score of a call, with the id that the same work always gives."""
    return Score(
        score_id=score_id(call.call_id, metric, "test", "1"),
        call_id=call.call_id,
        segment=call.segment,
        called_at=call.called_at,
        metric=metric,
        status="scored",
        value=value,
        evaluator="test",
        evaluator_version="1",
    )
