"""The encoder in torch: what is converted at set-up, and what runs on a GPU."""

from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoModel

from services.shared.errors import Unusable

Ids = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]


class PooledEncoder(torch.nn.Module):
    """A transformer whose token states are averaged and scaled to unit length."""

    def __init__(self, transformer: Any) -> None:
        super().__init__()
        self.transformer = transformer

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load the weights in `folder`."""
        return cls(loaded(folder))

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return int(self.transformer.config.hidden_size)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Unit vectors (texts by dimension) of padded token ids (texts by tokens)."""
        states = self.transformer(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return torch.nn.functional.normalize(mean_of_tokens(states, attention_mask), dim=1)


def loaded(folder: Path) -> Any:
    """The transformer in `folder`, ready for inference (safetensors only: a pickle runs code)."""
    return AutoModel.from_pretrained(folder, use_safetensors=True, local_files_only=True).eval()


def keep_layers(model: Any, layers: int) -> None:
    """Leave the first `layers` layers of a transformer; the upper ones are the first that can be spared.

    Raises Unusable where it has no more than that.
    """
    config = model.config
    if not 0 < layers < config.num_hidden_layers:
        raise Unusable(f"the model has {config.num_hidden_layers} layers: keep at least 1 and fewer than that")
    for stack in [part for part in model.modules() if isinstance(part, torch.nn.ModuleList)]:
        if len(stack) == config.num_hidden_layers:
            del stack[layers:]
    config.num_hidden_layers = layers


def mean_of_tokens(states: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """The mean of the states (texts by tokens by dimension) that are not padding, in fp32."""
    weights = attention_mask.unsqueeze(-1).float()
    return (states.float() * weights).sum(1) / weights.sum(1)


class TorchEngine:
    """The forward pass of a module by torch: bf16 on CUDA, fp32 elsewhere."""

    def __init__(self, module: torch.nn.Module, *, device: str = "cuda", threads: int = 1) -> None:
        self._device = torch.device(device)
        self.precision = "bf16" if self._device.type == "cuda" else "fp32"
        self._module = module.to(self._device)
        if self._device.type == "cpu":
            torch.set_num_threads(threads)
        if self.precision == "bf16":
            self._module = self._module.to(torch.bfloat16)

    @property
    def name(self) -> str:
        """The device as people call it."""
        return torch.cuda.get_device_name(self._device) if self._device.type == "cuda" else "torch on CPU"

    def forward(self, *inputs: Ids) -> Vectors:
        """What the module makes of padded token ids, their mask and, where it takes them, their types."""
        with torch.inference_mode():
            outputs: Vectors = self._module(*map(self._moved, inputs)).float().cpu().numpy()
        return outputs

    def _moved(self, array: Ids) -> torch.Tensor:
        tensor = torch.from_numpy(array)
        if self._device.type != "cuda":
            return tensor
        return tensor.pin_memory().to(self._device, non_blocking=True)
