"""What guard has on disk: the tagger's weights, canary strings, protected documents."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import save_file

from services.guard.guard.canaries import Canaries
from services.guard.guard.protected import ProtectedDocuments
from services.guard.guard.tagger import Weights
from services.shared.errors import Unusable
from services.shared.weights import read, version_of

TAGGER = Path(__file__).parent / "weights" / "tagger.safetensors"


def load(path: Path) -> Weights:
    """The tagger in `path`; `Unusable` where there is none."""
    try:
        tensors, _ = read(path)
        count = sum(name.endswith(".weight") for name in tensors) - 2
        return Weights(
            lists={name[5:]: frozenset(tensors[name].tolist()) for name in sorted(tensors) if name.startswith("list.")},
            embedding=tensors["embedding.weight"].astype(np.float32),
            layers=tuple((tensors[f"layer{number}.weight"], tensors[f"layer{number}.bias"]) for number in range(count)),
            output=(tensors["output.weight"], tensors["output.bias"]),
            version=version_of(path),
        )
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise Unusable(f"{path} is no tagger: {error!r}; train one or unset TIDEMARK_GUARD_TAGGER") from error


def save(weights: Weights, path: Path) -> None:
    """Write the tagger to `path`, the embedding in half precision."""
    tensors: dict[str, npt.NDArray[Any]] = {
        f"list.{name}": np.array(sorted(held), np.uint32) for name, held in weights.lists.items()
    }
    tensors["embedding.weight"] = weights.embedding.astype(np.float16)
    for number, (matrix, bias) in enumerate(weights.layers):
        tensors[f"layer{number}.weight"], tensors[f"layer{number}.bias"] = matrix, bias
    tensors["output.weight"], tensors["output.bias"] = weights.output
    save_file({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, path)


def canaries(path: Path | None) -> Canaries:
    """The strings in `path`, none without one; `Unusable` where it is no list of each tenant's strings."""
    if path is None:
        return Canaries({})
    try:
        return Canaries(msgspec.yaml.decode(path.read_bytes(), type=dict[str, list[str]]))
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        reason = f"{path} is no list of canaries: {error}; correct it or unset TIDEMARK_GUARD_CANARIES"
        raise Unusable(reason) from error


def protected(path: Path | None) -> ProtectedDocuments:
    """The texts under `path`, none without one; `Unusable` where it is no directory of UTF-8 texts."""
    try:
        return ProtectedDocuments(_texts(path) if path else ())
    except (OSError, ValueError) as error:
        reason = f"{path} cannot be read: {error}; correct it or unset TIDEMARK_GUARD_PROTECTED_TEXTS"
        raise Unusable(reason) from error


def _texts(directory: Path) -> Iterator[tuple[str, str]]:
    if not directory.is_dir():
        raise ValueError("it is no directory")
    for path in sorted(directory.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            yield str(path.relative_to(directory)), path.read_text("utf-8")
