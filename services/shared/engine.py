"""One forward pass on the hardware that is there, and what one process may take of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import numpy.typing as npt

from services.shared import int8, model_memory
from services.shared.model_store import BUILTIN
from services.shared.settings import models_folder

if TYPE_CHECKING:
    import torch

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]
Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "int8"]

NVIDIA = Path("/proc/driver/nvidia/gpus")


class Engine(Protocol):
    """One forward pass, in some precision on some device."""

    precision: str

    @property
    def name(self) -> str:
        """Engine and device, for people."""

    def forward(self, *inputs: Ids) -> Floats:
        """What the model makes of padded token ids, their mask and, where it takes them, their types."""


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """Which model, where, and how much of the machine it may take."""

    model: str = BUILTIN  # or a directory, or hf:OWNER/NAME
    models: Path = field(default_factory=models_folder)
    device: Device = "auto"
    threads: int = 1
    batch_tokens: int = 1024  # measured best on CPUs: benchmarks/embedding_rate.py
    max_windows: int = 16  # of one text: 4,096 tokens
    cache_entries: int = 8192
    precision: Precision = "auto"
    int8_difference: float = 0.05  # that 99 % of the measured texts stay below
    memory_mb: int = 0  # on a CPU, for weights and one forward pass; 0: what the machine has

    @property
    def on_cuda(self) -> bool:
        """Whether a GPU is used; torch is imported only where the driver shows one or `cuda` asks for it."""
        return self.device == "cuda" or (self.device == "auto" and NVIDIA.is_dir() and any(NVIDIA.iterdir()))

    def signed(self, version: str, precision: str, folder: Path) -> str:
        """The version of the model in `folder` as it runs: in 8 bits, or by other windows of a long text, another one.

        >>> ModelOptions().signed("53aa", "bf16", Path()), ModelOptions(max_windows=4).signed("53aa", "bf16", Path())
        ('53aa', '53aa-w4')
        """
        windows = "" if self.max_windows == ModelOptions.max_windows else f"-w{self.max_windows}"
        return f"{version}-{int8.signature(folder)}{windows}" if precision == "int8" else f"{version}{windows}"

    @property
    def named(self) -> str:
        """The model as commands take it."""
        return self.model

    @property
    def budget(self) -> int:
        """Padded tokens of one forward pass."""
        return self.batch_tokens * (64 if self.on_cuda else 1)


def opened(options: ModelOptions, graph: Path, module: "Callable[[], torch.nn.Module]", *, window: int) -> Engine:
    """The engine for a model that lies converted in `graph` and comes from `module` in torch.

    CUDA by torch where there is a GPU; else OpenVINO; else, where that is not installed, torch on the CPU. Raises
    ModelTooLargeError where it would not fit with windows of `window` tokens, Int8Refused where that is asked for and
    not there or not good enough.
    """
    in_int8 = options.precision == "int8"
    if in_int8 and (options.on_cuda or not find_spec("openvino")):
        raise int8.Int8Refused("int8 is for CPUs with OpenVINO: set precision to auto, or device to cpu")
    chosen = int8.allowed(graph.parent, options.int8_difference, name=options.named) if in_int8 else graph
    if not options.on_cuda:
        model_memory.check(chosen, batch_tokens=max(options.budget, window), most_mb=options.memory_mb)
    if not options.on_cuda and find_spec("openvino"):
        from services.shared.openvino_engine import OpenVinoEngine  # noqa: PLC0415 - a GPU has no use for it

        return OpenVinoEngine(chosen, threads=options.threads, int8=in_int8)
    from services.shared.torch_encoder import TorchEngine  # noqa: PLC0415 - 5 seconds and 400 MB that CPUs need not pay

    return TorchEngine(module(), device="cuda" if options.on_cuda else "cpu", threads=options.threads)
