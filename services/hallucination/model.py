"""The trained head on disk: one JSON file."""

from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np

from services.hallucination.hallucination import FEATURES, Head
from services.hallucination.words import Rarity
from services.shared.model_store import WrongEncoderError

BUILTIN = Path(__file__).parent / "weights" / "head.json"


class Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file; `stems` holds, for each rarity, its stems with spaces between them."""

    encoder_version: str
    features: tuple[str, ...]
    centre: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float
    unseen: float
    stems: dict[str, str]


def load(path: Path, *, encoder_version: str) -> Head:
    """The head in `path`; raises WrongEncoderError where it was trained with another encoder or other features."""
    stored = msgspec.json.decode(path.read_bytes(), type=Stored)
    if (stored.encoder_version, stored.features) != (encoder_version, FEATURES):
        raise WrongEncoderError(path, trained_on=stored.encoder_version, loaded=encoder_version)
    idf = {stem: float(rarity) for rarity, stems in stored.stems.items() for stem in stems.split()}
    return Head(
        centre=np.array(stored.centre),
        scale=np.array(stored.scale),
        weights=np.array(stored.weights),
        intercept=stored.intercept,
        rarity=Rarity(idf, stored.unseen),
        version=sha256(path.read_bytes()).hexdigest()[:12],
    )


def save(head: Head, path: Path, *, encoder_version: str) -> None:
    """Write `head`, and what it was trained with, to `path`."""
    groups: dict[str, list[str]] = {}
    for stem, rarity in sorted(head.rarity.idf.items()):
        groups.setdefault(f"{rarity:.1f}", []).append(stem)
    stored = Stored(
        encoder_version=encoder_version,
        features=FEATURES,
        centre=_rounded(head.centre),
        scale=_rounded(head.scale),
        weights=_rounded(head.weights),
        intercept=round(head.intercept, 6),
        unseen=head.rarity.unseen,
        stems={rarity: " ".join(stems) for rarity, stems in sorted(groups.items())},
    )
    path.write_bytes(msgspec.json.format(msgspec.json.encode(stored), indent=1))


def _rounded(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)
