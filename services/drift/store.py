"""References as files: written whole or not at all, checked when read, without pickle."""

import hashlib
import io
import logging
import os
from pathlib import Path

import msgspec
import numpy as np

from schemas.messages import Segment
from services.drift.drift.reference import REFERENCES_KEPT, Reference, Space

LOG = logging.getLogger(__name__)
_DIGEST_BYTES = 32


class _Facts(msgspec.Struct, frozen=True):
    segment: Segment
    field: str
    encoder: str
    encoder_version: str
    size: int
    judged_by: str
    stretches: dict[int, float] = {}


class ReferenceFiles:
    """One file a space under `folder`: the SHA-256 of the rest, then an `.npz` of calls, sessions, vectors and facts.

    Every process of the service has to see the same folder. What was saved survives kill -9 and power loss. A
    file that does not match its hash is set aside as `.damaged`, reported, and collected anew.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._frozen: dict[Space, Reference] = {}

    def load(self, space: Space) -> Reference | None:
        """What is kept of `space`; a frozen reference that was used lately is not read again."""
        known = self._frozen.get(space)
        if known is not None:
            return self._remembered(known)
        path = self.path(space)
        if not path.exists():
            return None
        content = path.read_bytes()
        if hashlib.sha256(content[_DIGEST_BYTES:]).digest() != content[:_DIGEST_BYTES]:
            path.replace(path.with_suffix(".damaged"))
            LOG.error("A reference does not match its hash and is collected anew.", extra={"file": str(path)})
            return None
        return self._remembered(_unpacked(content[_DIGEST_BYTES:]))

    def save(self, reference: Reference) -> None:
        """Keep `reference`; durable when this returns."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = _packed(reference)
        path = self.path(reference.space)
        with path.with_suffix(".part").open("wb") as file:  # one process writes a space: its partition's
            file.write(hashlib.sha256(content).digest() + content)
            file.flush()
            os.fsync(file.fileno())
        path.with_suffix(".part").replace(path)
        _sync_folder(self._folder)
        self._remembered(reference)

    def path(self, space: Space) -> Path:
        """The file of `space`; its name is a hash, since names of applications are data."""
        return self._folder / f"{hashlib.sha256(space.key.encode()).hexdigest()[:40]}.reference"

    def _remembered(self, reference: Reference) -> Reference:
        if reference.frozen:
            self._frozen.pop(reference.space, None)
            self._frozen[reference.space] = reference  # the one used last goes to the end
            if len(self._frozen) > REFERENCES_KEPT:
                del self._frozen[next(iter(self._frozen))]
        return reference


def _packed(reference: Reference) -> bytes:
    space = reference.space
    place = (space.segment, space.field, space.encoder, space.encoder_version)
    facts = _Facts(*place, reference.size, reference.judged_by, reference.thinnest)
    calls = b"".join(call.to_bytes(16, "big") for call in reference.calls)
    buffer = io.BytesIO()
    np.savez(
        buffer,
        facts=np.frombuffer(msgspec.json.encode(facts), dtype=np.uint8),
        calls=np.frombuffer(calls, dtype=np.uint8).reshape(-1, 16),
        sessions=reference.sessions(),
        vectors=reference.matrix() if reference.vectors else np.zeros((0, 0), dtype="<f4"),
    )
    return buffer.getvalue()


def _unpacked(content: bytes) -> Reference:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        facts = msgspec.json.decode(arrays["facts"].tobytes(), type=_Facts)
        numbers = [int.from_bytes(row.tobytes(), "big") for row in arrays["calls"]]
        calls = dict(zip(numbers, arrays["sessions"].tolist(), strict=True))
        vectors = [row.tobytes() for row in arrays["vectors"]]
    space = Space(facts.segment, facts.field, facts.encoder, facts.encoder_version)
    return Reference(space, facts.size, facts.judged_by, calls, vectors, facts.stretches)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
