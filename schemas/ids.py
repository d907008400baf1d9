"""Ids that are made once, and ids that are functions of content."""

import os
import time
from datetime import datetime
from uuid import UUID, uuid5

NAMESPACE = UUID("8f7a7d0e-3d0b-5c4e-9a53-7469646d6172")


def uuid7() -> UUID:
    """A fresh UUIDv7 (RFC 9562): milliseconds since the epoch, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    high = milliseconds << 80 | 0x7 << 76 | (random >> 68 & 0xFFF) << 64
    return UUID(int=high | 0b10 << 62 | random & (1 << 62) - 1)


def derived_id(kind: str, *parts: object) -> UUID:
    """The uuid5 of `kind` and `parts`: the same content gives the same id, everywhere and always."""
    return uuid5(NAMESPACE, "\x1f".join([kind, *map(_text, parts)]))


def _text(part: object) -> str:
    return part.isoformat() if isinstance(part, datetime) else str(part)


def score_id(call_id: UUID, metric: str, evaluator: str, evaluator_version: str) -> UUID:
    """The id of one metric of one call by one evaluator version."""
    return derived_id("score", call_id, metric, evaluator, evaluator_version)


def embedding_id(call_id: UUID, field: str, encoder: str, encoder_version: str) -> UUID:
    """The id of the embedding of one field of one call."""
    return derived_id("embedding", call_id, field, encoder, encoder_version)


def decision_id(policy: str, target: str, from_version: str, to_version: str, window_end: datetime) -> UUID:
    """The id of one decision of one policy: the same evidence decides once."""
    return derived_id("decision", policy, target, from_version, to_version, window_end)


def window_id(segment: str, measured: tuple[str, str, str, str], span: tuple[int, datetime], partition: int) -> UUID:
    """The id of one window of one source partition.

    `measured` is metric, evaluator, evaluator version and group; `span` is interval in seconds and start.
    """
    return derived_id("window", segment, *measured, *span, partition)
