"""Where a training runs, and in which precision: a GPU where there is one, bf16 where the hardware multiplies it."""

import torch

from services.shared.processor import multiplies_bf16


def fastest() -> torch.device:
    """The first GPU, or the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def kind(device: torch.device) -> torch.dtype:
    """What matrices are multiplied in on `device`; what is trained stays in fp32."""
    return torch.bfloat16 if device.type == "cuda" or multiplies_bf16() else torch.float32


def mixed(device: torch.device) -> torch.autocast:
    """The context in which a forward pass multiplies in `kind`."""
    return torch.autocast(device.type, torch.bfloat16, enabled=kind(device) == torch.bfloat16)
