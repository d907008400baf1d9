"""The trained head on disk."""

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from services.shared.model_store import WrongEncoderError
from services.toxicity.toxicity import Head

BUILTIN = Path(__file__).parent / "weights" / "head.safetensors"


def load(path: Path, *, encoder_version: str) -> Head:
    """The head in `path`; raises WrongEncoderError where it was trained on another encoder than is loaded."""
    with safe_open(path, framework="np") as file:
        facts = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dictionary
    if facts["encoder_version"] != encoder_version:
        raise WrongEncoderError(path, trained_on=facts["encoder_version"], loaded=encoder_version)
    return Head(
        kinds=tuple(json.loads(facts["kinds"])),
        hidden=(tensors["hidden.weight"], tensors["hidden.bias"]),
        output=(tensors["output.weight"], tensors["output.bias"]),
        calibration=(tensors["calibration.slope"], tensors["calibration.intercept"]),
        version=sha256(path.read_bytes()).hexdigest()[:12],
    )


def save(head: Head, path: Path, *, encoder_version: str) -> None:
    """Write `head`, and what it was trained on, to `path`."""
    tensors = {
        "hidden.weight": head.hidden[0],
        "hidden.bias": head.hidden[1],
        "output.weight": head.output[0],
        "output.bias": head.output[1],
        "calibration.slope": head.calibration[0],
        "calibration.intercept": head.calibration[1],
    }
    contiguous = {name: np.ascontiguousarray(tensor, np.float32) for name, tensor in tensors.items()}
    save_file(contiguous, path, metadata={"kinds": json.dumps(head.kinds), "encoder_version": encoder_version})
