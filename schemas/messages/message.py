"""What every message on a topic has in common."""

from datetime import datetime
from typing import Annotated, Any, Self

import msgspec

Timestamp = Annotated[datetime, msgspec.Meta(tz=True)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]
InclusionProbability = Annotated[float, msgspec.Meta(gt=0, le=1)]
# What decoding raises: msgspec reads UTF-8 where it needs a text, and nests as deep as Python's stack.
UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
Json = Any  # a JSON value: null, boolean, number, string, list or object


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", dict=False):
    """A fact on a topic: immutable, JSON on the wire, its version in the tag.

    Unknown fields are ignored, so an older reader survives a newer writer.
    """

    @property
    def key(self) -> str:
        """The partition key: messages with the same key keep their order."""
        raise TypeError(f"{type(self).__name__} has no key")

    def encode(self) -> bytes:
        """The message as UTF-8 JSON."""
        return _ENCODER.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The message in `data`.

        Raises one of `UNDECODABLE`: `msgspec.ValidationError` (the path of the offending field is in the text), or
        another where `data` is no JSON at all.
        """
        return msgspec.json.decode(data, type=cls)


_ENCODER = msgspec.json.Encoder()
