"""Where matrices are multiplied: numpy on a CPU, torch on a GPU."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = Any  # of numpy or of torch; the code asks only for what both have
DeviceName = Literal["auto", "cpu", "cuda"]
_DRIVER = Path("/proc/driver/nvidia/version")


@dataclass(frozen=True)
class Arrays:
    """The array library in use, and the way there and back."""

    module: Any
    put: Callable[[npt.NDArray[np.float32]], Array]
    get: Callable[[Array], npt.NDArray[np.float32]]


CPU = Arrays(np, np.ascontiguousarray, np.asarray)


def torch_arrays(device: str) -> Arrays:
    """Arrays of torch on `device`: slower than numpy on a CPU, where it also costs 400 MB and seconds to import."""
    torch = import_module("torch")
    return Arrays(torch, lambda array: torch.from_numpy(array).to(device), lambda array: array.cpu().numpy())


def arrays(device: DeviceName) -> Arrays:
    """The arrays of `device`; `auto` takes a GPU where its driver is loaded and torch can use it."""
    if device == "cpu" or (device == "auto" and not _DRIVER.exists()):
        return CPU
    if device == "cuda" or _usable():
        return torch_arrays("cuda")
    return CPU


def _usable() -> bool:
    try:
        torch = import_module("torch")
    except ModuleNotFoundError:
        return False
    return bool(torch.cuda.is_available())
