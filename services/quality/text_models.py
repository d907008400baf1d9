"""The small models of quality on disk."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from services.quality.quality.languages import Languages
from services.quality.quality.surprise import Surprise
from services.shared.weights import read, version_of

_FOLDER = Path(__file__).parent / "weights"
LANGUAGES = _FOLDER / "languages.safetensors"
CHARACTERS = _FOLDER / "characters.safetensors"
STEPS = 127.0  # of an 8-bit weight
Floats = npt.NDArray[np.float32]


def rounded(weights: Floats) -> Floats:
    """Weights as they come back from 8 bits, so that what is measured is what ships."""
    scale = float(np.abs(weights).max()) / STEPS
    result: Floats = (np.round(weights / scale) * scale).astype(np.float32)
    return result


def save_languages(model: Languages, path: Path) -> None:
    """Write the model, 8 bits a weight."""
    scale = float(np.abs(model.weights).max()) / STEPS
    facts = {"codes": json.dumps(model.codes), "calibration": json.dumps(model.calibration), "scale": repr(scale)}
    # Contiguous: a transposed array would be written as it lies in memory.
    weights = np.ascontiguousarray(np.round(model.weights / scale).astype(np.int8))
    save_file({"weights": weights}, path, metadata=facts)


def load_languages(path: Path = LANGUAGES) -> Languages:
    """The model in `path`."""
    tensors, facts = read(path)
    weights = tensors["weights"].astype(np.float32) * np.float32(float(facts["scale"]))
    scale, power = json.loads(facts["calibration"])
    return Languages(tuple(json.loads(facts["codes"])), weights, (scale, power), version_of(path))


def save_surprise(model: Surprise, path: Path) -> None:
    """Write the model, two bytes a slot."""
    facts = {"characters_seen": repr(model.characters_seen)}
    save_file({"owners": model.owners, "counts": model.counts}, path, metadata=facts)


def load_surprise(path: Path = CHARACTERS) -> Surprise:
    """The model in `path`."""
    tensors, facts = read(path)
    owners, counts = tensors["owners"].astype(np.uint8), tensors["counts"].astype(np.uint8)
    return Surprise(owners, counts, float(facts["characters_seen"]), version_of(path))
