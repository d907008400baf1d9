"""The trained heads on disk: JSON files."""

from pathlib import Path

import msgspec
import numpy as np

from services.hallucination.consistency import SIGNS as PAIR_SIGNS
from services.hallucination.consistency import Disagreement
from services.hallucination.features import FEATURES
from services.hallucination.hallucination import Head
from services.hallucination.signs import SIGNS
from services.hallucination.words import Rarity
from services.shared.errors import Unusable
from services.shared.model_store import WrongEncoderError
from services.shared.weights import version_of

BUILTIN = Path(__file__).parent / "weights" / "head.json"
CONSISTENCY = Path(__file__).parent / "weights" / "consistency.json"


class Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file; `stems` holds, for each rarity, its stems with spaces between them."""

    adapter: str  # the version of the token classifier whose log-odds it was fitted to
    word_slope: float
    word_intercept: float
    word_threshold: float
    signs: dict[str, float]
    features: dict[str, tuple[float, float, float]]  # centre, scale, weight
    intercept: float
    unseen: float
    stems: dict[str, str]


def load(path: Path, *, adapter: str) -> Head:
    """The head in `path`.

    Raises WrongEncoderError where it was fitted to another adapter, Unusable where to other signs or features.
    """
    stored = msgspec.json.decode(path.read_bytes(), type=Stored)
    if stored.adapter != adapter:
        raise WrongEncoderError(path, trained_on=stored.adapter, loaded=adapter)
    if (tuple(stored.features), tuple(stored.signs)) != (FEATURES, SIGNS):
        raise Unusable(f"{path} was fitted to other signs: fit it anew, python -m services.hallucination.training DATA")
    centre, scale, weights = np.array([stored.features[name] for name in FEATURES]).T
    return Head(
        word_slope=stored.word_slope,
        word_intercept=stored.word_intercept,
        lexical=np.array([stored.signs[name] for name in SIGNS]),
        centre=centre,
        scale=scale,
        weights=weights,
        intercept=stored.intercept,
        word_threshold=stored.word_threshold,
        rarity=Rarity(_idf(stored.stems), stored.unseen),
        version=version_of(path),
    )


def load_rarity(path: Path) -> Rarity:
    """The rarity of stems alone, whatever adapter the head in `path` was fitted to."""
    stored = msgspec.json.decode(path.read_bytes(), type=_Stems)
    return Rarity(_idf(stored.stems), stored.unseen)


class _Stems(msgspec.Struct, frozen=True):
    unseen: float
    stems: dict[str, str]


def _idf(groups: dict[str, str]) -> dict[str, float]:
    return {stem: float(rarity) for rarity, stems in groups.items() for stem in stems.split()}


def save(head: Head, path: Path, *, adapter: str) -> None:
    """Write `head`, and what it was fitted to, to `path`."""
    groups: dict[str, list[str]] = {}
    for stem, rarity in sorted(head.rarity.idf.items()):
        groups.setdefault(f"{rarity:.1f}", []).append(stem)
    described = zip(FEATURES, _rounded(head.centre), _rounded(head.scale), _rounded(head.weights), strict=True)
    stored = Stored(
        adapter=adapter,
        word_slope=round(head.word_slope, 6),
        word_intercept=round(head.word_intercept, 6),
        word_threshold=round(head.word_threshold, 6),
        signs=dict(zip(SIGNS, _rounded(head.lexical), strict=True)),
        features={name: (centre, scale, weight) for name, centre, scale, weight in described},
        intercept=round(head.intercept, 6),
        unseen=head.rarity.unseen,
        stems={rarity: " ".join(stems) for rarity, stems in sorted(groups.items())},
    )
    path.write_bytes(msgspec.json.format(msgspec.json.encode(stored), indent=1))


class StoredDisagreement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of the consistency head."""

    weights: dict[str, float]  # by sign
    intercept: float


def load_disagreement(path: Path = CONSISTENCY) -> Disagreement:
    """What tells a contradiction from a paraphrase."""
    stored = msgspec.json.decode(path.read_bytes(), type=StoredDisagreement)
    return Disagreement(np.array([stored.weights[sign] for sign in PAIR_SIGNS]), stored.intercept)


def save_disagreement(head: Disagreement, path: Path) -> None:
    """Write `head` to `path`."""
    weights = dict(zip(PAIR_SIGNS, _rounded(head.weights), strict=True))
    stored = StoredDisagreement(weights=weights, intercept=round(head.intercept, 6))
    path.write_bytes(msgspec.json.format(msgspec.json.encode(stored), indent=1))


def _rounded(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)
