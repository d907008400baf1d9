"""An encoder with an adapter in torch: what is trained, and what is merged for a conversion or a GPU."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from services.shared.adapter import Adapter, Changes, Facts, Head, Kind
from services.shared.torch_encoder import loaded, mean_of_tokens

Floats = npt.NDArray[np.float32]


class LowRank(torch.nn.Module):
    """A frozen linear layer plus a trained change of low rank; starts as the frozen layer."""

    def __init__(self, frozen: torch.nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        self.frozen = frozen.requires_grad_(requires_grad=False)
        self.lora_A = torch.nn.Parameter(torch.randn(rank, frozen.in_features) / frozen.in_features**0.5)
        self.lora_B = torch.nn.Parameter(torch.zeros(frozen.out_features, rank))
        self._scale = alpha / rank

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """The layer's outputs."""
        # One product with the summed weights: on a CPU twice as fast as three, of which two are narrow.
        weight = self.frozen.weight + self._scale * (self.lora_B @ self.lora_A)
        return torch.nn.functional.linear(states, weight, self.frozen.bias)


class HeadedEncoder(torch.nn.Module):
    """A transformer with heads over the mean of its token states, or over each of them.

    Logits are texts by heads, or texts by tokens by heads, in fp32.
    """

    def __init__(self, transformer: Any, heads: torch.nn.Sequential, kind: Kind) -> None:
        super().__init__()
        self.transformer = transformer
        self.heads = heads
        self.kind = kind

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Logits of padded token ids (texts by tokens); `token_type_ids` where the encoder has such."""
        types = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        states = self.transformer(input_ids=input_ids, attention_mask=attention_mask, **types).last_hidden_state
        read = mean_of_tokens(states, attention_mask).to(states.dtype) if self.kind == "sequence" else states
        logits: torch.Tensor = self.heads(read).float()
        return logits


def trainable(
    base: Path, *, heads: int, kind: Kind, rank: int = 8, alpha: float = 16.0, hidden: int = 0
) -> HeadedEncoder:
    """The encoder in `base` with fresh low-rank changes of every linear layer and fresh heads; all else is frozen."""
    transformer = loaded(base).requires_grad_(requires_grad=False)
    for path, layer in list(transformer.encoder.named_modules()):
        if isinstance(layer, torch.nn.Linear):
            transformer.encoder.set_submodule(path, LowRank(layer, rank, alpha))
    return HeadedEncoder(transformer, _heads(transformer.config.hidden_size, hidden, heads), kind)


def changes_of(module: HeadedEncoder) -> Changes:
    """What was trained inside the encoder, by module path: A (rank by inputs) and B (outputs by rank)."""
    layers = {path: layer for path, layer in module.transformer.named_modules() if isinstance(layer, LowRank)}
    return {path: (_array(layer.lora_A), _array(layer.lora_B)) for path, layer in layers.items()}


def adapter_of(
    module: HeadedEncoder, *, base_sha256: str, heads: Sequence[Head], alpha: float, max_tokens: int
) -> Adapter:
    """What was trained, ready to write; an `alpha` below that of the training averages it with the base weights."""
    changes = changes_of(module)
    linear = [layer for layer in module.heads if isinstance(layer, torch.nn.Linear)]
    return Adapter(
        facts=Facts(
            base_sha256=base_sha256,
            rank=len(next(iter(changes.values()))[0]),
            alpha=alpha,
            kind=module.kind,
            heads=tuple(heads),
            max_tokens=max_tokens,
        ),
        changes=changes,
        output=(_array(linear[-1].weight), _array(linear[-1].bias)),
        hidden=(_array(linear[0].weight), _array(linear[0].bias)) if len(linear) > 1 else None,
    )


def merged(base: Path, adapter: Adapter) -> HeadedEncoder:
    """The encoder in `base` with the adapter inside its weights, for inference alone."""
    transformer = loaded(base)
    with torch.no_grad():
        for path in adapter.changes:
            transformer.get_submodule(path).weight += torch.from_numpy(adapter.change(path))
    width = len(adapter.hidden[0]) if adapter.hidden else 0
    heads = _heads(transformer.config.hidden_size, width, len(adapter.output[0]))
    linear = [layer for layer in heads if isinstance(layer, torch.nn.Linear)]
    for layer, (weight, bias) in zip(linear, filter(None, (adapter.hidden, adapter.output)), strict=True):
        layer.weight.data, layer.bias.data = torch.from_numpy(weight), torch.from_numpy(bias)
    return HeadedEncoder(transformer, heads, adapter.facts.kind).eval()


def _heads(dimension: int, hidden: int, outputs: int) -> torch.nn.Sequential:
    if not hidden:
        return torch.nn.Sequential(torch.nn.Dropout(0.1), torch.nn.Linear(dimension, outputs))
    return torch.nn.Sequential(
        torch.nn.Dropout(0.1),
        torch.nn.Linear(dimension, hidden),
        torch.nn.GELU(approximate="tanh"),
        torch.nn.Dropout(0.1),
        torch.nn.Linear(hidden, outputs),
    )


def _array(tensor: torch.Tensor) -> Floats:
    array: Floats = tensor.detach().float().cpu().numpy().copy()
    return array
