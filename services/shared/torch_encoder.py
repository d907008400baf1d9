"""The encoder in torch: what is converted at set-up, and what runs on a GPU."""

from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoModel

Ids = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]


class PooledEncoder(torch.nn.Module):
    """A transformer whose token states are averaged and scaled to unit length."""

    def __init__(self, transformer: Any) -> None:
        super().__init__()
        self.transformer = transformer

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load the weights in `folder` (safetensors only: a pickle runs code)."""
        transformer = AutoModel.from_pretrained(folder, use_safetensors=True, local_files_only=True)
        return cls(transformer.eval())

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return int(self.transformer.config.hidden_size)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Unit vectors (texts by dimension) of padded token ids (texts by tokens)."""
        states = self.transformer(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state.float()
        weights = attention_mask.unsqueeze(-1).float()
        return torch.nn.functional.normalize((states * weights).sum(1) / weights.sum(1), dim=1)


class TorchEngine:
    """The forward pass by torch: bf16 on CUDA, fp32 elsewhere."""

    def __init__(self, folder: Path, *, device: str = "cuda") -> None:
        self._device = torch.device(device)
        self.precision = "bf16" if self._device.type == "cuda" else "fp32"
        self._module = PooledEncoder.load(folder).to(self._device)
        if self.precision == "bf16":
            self._module = self._module.to(torch.bfloat16)

    @property
    def name(self) -> str:
        """The device as people call it."""
        return torch.cuda.get_device_name(self._device) if self._device.type == "cuda" else "torch on CPU"

    def forward(self, ids: Ids, mask: Ids) -> Vectors:
        """Unit vectors of padded token ids."""
        with torch.inference_mode():
            vectors: Vectors = self._module(self._moved(ids), self._moved(mask)).float().cpu().numpy()
        return vectors

    def _moved(self, array: Ids) -> torch.Tensor:
        tensor = torch.from_numpy(array)
        if self._device.type != "cuda":
            return tensor
        return tensor.pin_memory().to(self._device, non_blocking=True)
