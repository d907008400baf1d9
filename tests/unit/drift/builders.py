"""Embeddings that name only what matters, and a place for references."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np

from schemas.ids import derived_id
from schemas.messages import Deployment, Embedding, Segment, Target
from services.shared.tumbling import Timing

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
TARGET = Target(tenant="acme", app="support", environment="production")
DIMENSION = 16
AT_ONCE = Timing(settle_seconds=0)


def segment(version="v1"):
    return Segment(tenant="acme", app="support", environment="production", version=version)


def second(seconds):
    """Seconds since the epoch, `seconds` after the start."""
    return START.timestamp() + seconds


def vectors(count, *, seed=0, shift=0.0):
    """Unit vectors of one topic; `shift` moves it."""
    random = np.random.default_rng(seed)
    plain = random.normal(size=(count, DIMENSION)) + 1.0
    plain[:, 0] += 8 * shift
    return (plain / np.linalg.norm(plain, axis=1, keepdims=True)).astype("<f4")


def an_embedding(number=0, *, at=0.0, vector=None, version="v1", **fields):
    """The embedding of call `number`, made `at` seconds after the start."""
    row = vectors(1, seed=number)[0] if vector is None else vector
    defaults = {"field": "prompt", "encoder": "minilm", "encoder_version": "a1", "dimension": len(row)}
    return Embedding(
        embedding_id=derived_id("embedding", number, version),
        call_id=UUID(int=number),
        segment=segment(version),
        called_at=START + timedelta(seconds=at),
        vector=row.tobytes(),
        **{**defaults, **fields},
    )


def a_deployment(version, previous=None, *, revision=1, **fields):
    """What serves the target."""
    return Deployment(
        deployment_id=derived_id("deployment", revision),
        target=TARGET,
        revision=revision,
        version=version,
        version_hash="0",
        previous_version=previous,
        deployed_at=START,
        deployed_by="test",
        **fields,
    )
