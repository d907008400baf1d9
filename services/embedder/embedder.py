"""Prompts and responses as unit vectors."""

from collections.abc import Iterator, Sequence
from typing import Literal, Protocol

from schemas.ids import embedding_id
from schemas.messages import Call, Embedding
from services.shared.vectors import Encoder

Field = Literal["prompt", "response"]


class Named(Encoder, Protocol):
    """An encoder that says which it is."""

    name: str


def embeddings(calls: Sequence[Call], encoder: Named) -> Iterator[Embedding]:
    """The embeddings of the prompts and responses that `calls` carry, in the order of the calls.

    A text that is absent or blank has none: the vector of nothing would be a cluster of its own. All texts go
    through the encoder together.
    """
    found = [(call, field, text) for call in calls for field, text in texts_of(call)]
    vectors = encoder.encode([text for _, _, text in found])
    for (call, field, _), vector in zip(found, vectors, strict=True):
        yield Embedding(
            embedding_id=embedding_id(call.call_id, field, encoder.name, encoder.version),
            call_id=call.call_id,
            segment=call.segment,
            called_at=call.called_at,
            field=field,
            encoder=encoder.name,
            encoder_version=encoder.version,
            dimension=len(vector),
            vector=vector.astype("<f4").tobytes(),
            session_id=call.session_id,
            inclusion_probability=call.inclusion_probability,
            synthetic=call.synthetic,
        )


def texts_of(call: Call) -> Iterator[tuple[Field, str]]:
    """The fields of `call` that hold something to embed."""
    if call.question and not call.question.isspace():
        yield "prompt", call.question
    if call.answer and not call.answer.isspace():
        yield "response", call.answer
