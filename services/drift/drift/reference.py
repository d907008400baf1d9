"""What windows are compared with: the first calls of a version, and whose."""

import hashlib
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from schemas.messages import Deployment, Embedding, Segment
from services.drift.drift.sample import rank_of, session_of, vectors_of

REFERENCES_KEPT = 256  # in memory, 0.3 MB each as long as a reference has 200 calls
STRETCH_SECONDS = 300
_STRETCHES = 3  # two that take calls, and the one before them


class Space(NamedTuple):
    """Where vectors may be compared: one field of one segment by one encoder."""

    segment: Segment
    field: str
    encoder: str
    encoder_version: str

    @property
    def key(self) -> str:
        """The parts, joined."""
        return "\x1f".join([self.segment.key, self.field, self.encoder, self.encoder_version])

    def of(self, version: str) -> "Space":
        """The same place in another version."""
        target = self.segment.target
        segment = Segment(tenant=target.tenant, app=target.app, environment=target.environment, version=version)
        return self._replace(segment=segment)


def space_of(embedding: Embedding) -> Space:
    """The space that an embedding lies in."""
    return Space(embedding.segment, embedding.field, embedding.encoder, embedding.encoder_version)


@dataclass(slots=True)
class Reference:
    """The first `size` calls of one space; frozen, and never changed again, once it has them.

    `judged_by` is the version whose reference the windows of this space are compared with: empty while that is not
    known, its own version where it replaced none. Once known it stays, because after a rollback the
    deployment says that this version was replaced by the one that it replaced. `thinnest` are the smallest inclusion
    probabilities of the newest stretches of time that it saw: calls that were kept more often than others of their
    stretch or of the one before are thinned, so that it looks like all traffic; what was kept whole later fills it.
    What comes two stretches late enters none.
    """

    space: Space
    size: int
    judged_by: str = ""
    calls: dict[int, int] = field(default_factory=dict)  # call id to session
    vectors: list[bytes] = field(default_factory=list)
    thinnest: dict[int, float] = field(default_factory=dict)  # stretch to probability

    @property
    def frozen(self) -> bool:
        """Whether it has all its calls."""
        return len(self.vectors) >= self.size

    @property
    def reference_id(self) -> str:
        """A hash of content: of every call, session and vector in order."""
        digest = hashlib.sha256(self.space.key.encode())
        for (call, session), vector in zip(self.calls.items(), self.vectors, strict=True):
            digest.update(call.to_bytes(16, "big") + session.to_bytes(8, "big", signed=True) + vector)
        return digest.hexdigest()[:32]

    def add(self, embedding: Embedding) -> bool:
        """Take one call of this space; False where it is frozen, has it, or has too many of its kind."""
        if self.frozen or embedding.call_id.int in self.calls:
            return False
        if rank_of(embedding) >= self._share(embedding):
            return False
        self.calls[embedding.call_id.int] = session_of(embedding)
        self.vectors.append(embedding.vector)
        return True

    def _share(self, embedding: Embedding) -> float:
        """The share of its stretch's calls that is taken: a repeat meets the same one, or a smaller one."""
        stretch = int(embedding.called_at.timestamp() // STRETCH_SECONDS)
        smallest = min(self.thinnest.get(stretch, 1.0), embedding.inclusion_probability)
        known = self.thinnest | {stretch: smallest}
        self.thinnest = dict(sorted(known.items())[-_STRETCHES:])
        newest = list(self.thinnest)[1 - _STRETCHES :]
        return min(smallest, self.thinnest.get(stretch - 1, 1.0)) if stretch in newest else 0.0

    def matrix(self) -> npt.NDArray[np.float32]:
        """The vectors, [size, dimension]."""
        return vectors_of(self.vectors)

    def sessions(self) -> npt.NDArray[np.int64]:
        """The session of each call, as a number."""
        return np.array(list(self.calls.values()), dtype=np.int64)


def check(embedding: Embedding, reference: Reference) -> None:
    """Raise `ValueError` for a vector that would spoil the reference or the windows of its space."""
    vector = np.frombuffer(embedding.vector, dtype="<f4")
    if len(vector) != embedding.dimension:
        raise ValueError(f"vector has {len(vector)} values, dimension says {embedding.dimension}")
    if not np.isfinite(vector).all():
        raise ValueError("vector has values that are no numbers")
    if reference.vectors and len(reference.vectors[0]) != len(embedding.vector):
        raise ValueError("vector has another dimension than the reference of its encoder version")


class References(Protocol):
    """Where references are kept, for this process and the next one."""

    def load(self, space: Space) -> Reference | None:
        """What is kept of `space`."""

    def save(self, reference: Reference) -> None:
        """Keep `reference`; durable when this returns."""


def predecessor(deployment: Deployment | None, version: str) -> str | None:
    """The version that `version` is compared with: the pinned one, else the one that it replaced; None for none.

    Known is what the newest revision tells. A version that came by a decision (a rollback) is one that was good before:
    it is judged by its own reference.
    """
    if deployment is None:
        return None
    by_decision = deployment.decision_id is not None
    if deployment.version == version:
        if deployment.baseline_version:
            return _other(deployment.baseline_version, version)
        return None if by_decision else _other(deployment.previous_version, version)
    if version in deployment.weights:
        return deployment.version
    return deployment.version if by_decision and deployment.previous_version == version else None


def _other(candidate: str | None, version: str) -> str | None:
    return candidate if candidate and candidate != version else None
