"""Small trained weights on disk."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy.typing as npt
from safetensors import safe_open


def version_of(*paths: Path) -> str:
    """What an evaluator's version holds of the files: the first digits of the hash of all their bytes."""
    return sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:12]


def read(path: Path) -> tuple[dict[str, npt.NDArray[Any]], dict[str, str]]:
    """The tensors of a safetensors file, and the facts in its header; raises OSError and SafetensorError."""
    with safe_open(path, framework="np") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dictionary
        return tensors, file.metadata() or {}
