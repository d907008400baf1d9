"""Training examples as the calls that the scorer takes."""

from datetime import UTC, datetime
from uuid import UUID

from schemas.messages import Call, Document
from services.hallucination.training.composition import Labelled


def as_call(example: Labelled) -> Call:
    """The call that the example would have been."""
    return Call(
        call_id=UUID(int=0),
        app="training",
        environment="training",
        version="1",
        called_at=datetime(2025, 1, 1, tzinfo=UTC),
        prompt=example.prompt,
        context=(Document(text=example.context),),
        response=example.response,
    )
