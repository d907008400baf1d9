"""Scores that name only what matters."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from schemas.ids import score_id
from schemas.messages import Score, Segment

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
SEGMENT = Segment(tenant="acme", app="support", environment="production", version="v7")


def second(seconds: float) -> float:
    """Seconds since the epoch, `seconds` after the start."""
    return START.timestamp() + seconds


def a_score(number: int = 0, *, at: float = 0.0, value: float | None = 1.0, **fields) -> Score:
    """Score `number`, of a call `at` seconds after the start."""
    call_id = UUID(int=number)
    defaults = {
        "metric": "duration_seconds",
        "evaluator": "latency",
        "evaluator_version": "1",
        "segment": SEGMENT,
        "status": "scored" if value is not None else "not_scored",
    }
    known = {**defaults, **fields}
    return Score(
        score_id=score_id(call_id, known["metric"], known["evaluator"], known["evaluator_version"]),
        call_id=call_id,
        called_at=START + timedelta(seconds=at),
        value=value,
        **known,
    )
