"""A trained adapter on disk: what it adds to an encoder's weights, and the heads that read the result."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import save_file

from services.shared import weights
from services.shared.errors import Unusable

Floats = npt.NDArray[np.float32]
Changes = Mapping[str, tuple[Floats, Floats]]
Kind = Literal["sequence", "token"]
Over = Literal["max", "min", "mean"]

FORMAT = 1  # raised when an older reader would read it wrongly
_FACTS = "tidemark_adapter"


class AdapterDamagedError(Unusable):
    """The file holds no adapter of a format that is known; the message says what is wrong."""


class Head(msgspec.Struct, frozen=True):
    """One output of a classifier: its logit is log-odds, and sigmoid(slope × logit + intercept) a probability.

    `over` says how the logits of several windows of one text become one.
    """

    name: str
    slope: float = 1.0
    intercept: float = 0.0
    over: Over = "max"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the file says of itself, as JSON under `tidemark_adapter` in the safetensors header."""

    base_sha256: str  # of the encoder's model.safetensors
    rank: int
    alpha: float
    kind: Kind  # sequence: heads over the mean of the token states; token: over each token state
    heads: tuple[Head, ...]
    max_tokens: int  # of one window, specials included
    format: int = FORMAT


@dataclass(frozen=True, kw_only=True)
class Adapter:
    """Low-rank changes of an encoder's linear layers and the heads over its last states, in fp32.

    `changes` holds per module path A (rank by inputs) and B (outputs by rank): the merged weight is
    W + alpha / rank × B A (LoRA, arXiv:2106.09685). `hidden`, where there is one, is a layer with GELU (tanh) before
    `output`; each is a weight (outputs by inputs) and a bias.
    """

    facts: Facts
    changes: Changes
    output: tuple[Floats, Floats]
    hidden: tuple[Floats, Floats] | None = None

    def change(self, module: str) -> Floats:
        """What is added to the weight of `module` (outputs by inputs)."""
        first, second = self.changes[module]
        added: Floats = (second @ first) * np.float32(self.facts.alpha / self.facts.rank)
        return added


def write(adapter: Adapter, path: Path) -> None:
    """Write `adapter` in fp16; the same adapter gives the same bytes."""
    tensors = {"heads.output.weight": adapter.output[0], "heads.output.bias": adapter.output[1]}
    if adapter.hidden:
        tensors |= {"heads.hidden.weight": adapter.hidden[0], "heads.hidden.bias": adapter.hidden[1]}
    for module, (first, second) in adapter.changes.items():
        tensors |= {f"{module}.lora_A": first, f"{module}.lora_B": second}
    halves = {name: np.ascontiguousarray(tensors[name], np.float16) for name in sorted(tensors)}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(halves, path, metadata={_FACTS: msgspec.json.encode(adapter.facts).decode()})


def read(path: Path) -> Adapter:
    """The adapter in `path`; raises AdapterDamagedError where it is none, or does not fit itself."""
    try:
        tensors, header = weights.read(path)
    except (OSError, SafetensorError) as error:
        raise AdapterDamagedError(f"{path} cannot be read: {error}") from None
    if (described := header.get(_FACTS)) is None:
        raise AdapterDamagedError(f"{path} is no adapter: its header has no {_FACTS}")
    try:
        facts = msgspec.json.decode(described, type=Facts)
        return _checked(_assembled(facts, {name: each.astype(np.float32) for name, each in tensors.items()}))
    except (msgspec.DecodeError, KeyError, ValueError) as error:
        raise AdapterDamagedError(f"{path} is no adapter of format {FORMAT}: {error}") from None


def digest(path: Path) -> str:
    """The SHA-256 of the file, in hexadecimal digits."""
    return sha256(path.read_bytes()).hexdigest()


def _assembled(facts: Facts, tensors: Mapping[str, Floats]) -> Adapter:
    modules = sorted(name.removesuffix(".lora_A") for name in tensors if name.endswith(".lora_A"))
    hidden = ("heads.hidden.weight", "heads.hidden.bias")
    return Adapter(
        facts=facts,
        changes={module: (tensors[f"{module}.lora_A"], tensors[f"{module}.lora_B"]) for module in modules},
        output=(tensors["heads.output.weight"], tensors["heads.output.bias"]),
        hidden=(tensors[hidden[0]], tensors[hidden[1]]) if hidden[0] in tensors else None,
    )


def _checked(adapter: Adapter) -> Adapter:
    facts = adapter.facts
    if facts.format != FORMAT:
        raise ValueError(f"it has format {facts.format}")
    if len(adapter.output[0]) != len(facts.heads) or len(adapter.output[1]) != len(facts.heads):
        raise ValueError(f"{len(facts.heads)} heads are named, {len(adapter.output[0])} are there")
    if any(head.slope <= 0 for head in facts.heads):
        raise ValueError("a slope is not positive")
    for module, (first, second) in adapter.changes.items():
        if len(first) != facts.rank or second.shape[1:] != (facts.rank,):
            raise ValueError(f"{module} is not of rank {facts.rank}")
    pairs = (*adapter.changes.values(), adapter.output, *([adapter.hidden] if adapter.hidden else []))
    if not all(np.isfinite(array).all() for pair in pairs for array in pair):
        raise ValueError("a number is not finite")
    return adapter
