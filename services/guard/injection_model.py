"""What was trained for injection, on disk."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import save_file

from services.guard.guard.injection import InjectionModel, Judge
from services.guard.guard.injection_head import Network, WindowHead
from services.guard.guard.injection_suffix import SuffixModel
from services.guard.guard.injection_surprise import SurpriseModel
from services.shared.errors import Unusable
from services.shared.model_store import WrongEncoderError
from services.shared.weights import read, version_of

WEIGHTS = Path(__file__).parent / "weights"
BUILTIN = WEIGHTS / "injection.safetensors"
SURPRISE = WEIGHTS / "injection_surprise.safetensors"  # a file of its own: 2.4 MB that no retraining of heads changes

Tensors = Mapping[str, Any]


def load(path: Path = BUILTIN, surprise: Path = SURPRISE, *, encoder_version: str) -> InjectionModel:
    """The model in `path`; `Unusable` where there is none, WrongEncoderError where it is of another encoder."""
    try:
        tensors, facts = read(path)
        if facts["encoder_version"] != encoder_version:
            raise WrongEncoderError(path, trained_on=facts["encoder_version"], loaded=encoder_version)
        numbers = json.loads(facts["numbers"])
        return InjectionModel(
            prompt=_judge(tensors, "prompt", numbers),
            context=_judge(tensors, "context", numbers),
            suffix=_suffix(tensors, load_surprise(surprise)),
            version=version_of(path, surprise),
        )
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise Unusable(
            f"{path} holds no heads of injection: {error!r}; train some or unset TIDEMARK_GUARD_INJECTION"
        ) from error


def load_surprise(path: Path = SURPRISE) -> SurpriseModel:
    """The character model in `path`."""
    return SurpriseModel({int(order): table for order, table in read(path)[0].items()})


def save_surprise(model: SurpriseModel, path: Path = SURPRISE) -> None:
    """Write the character model to `path`."""
    save_file({str(order): np.ascontiguousarray(table) for order, table in model.tables.items()}, path)


def save(model: InjectionModel, path: Path = BUILTIN, *, encoder_version: str) -> None:
    """Write all but the character model, and what it was trained on, to `path`; the heads have to be window heads."""
    tensors: dict[str, Any] = {}
    numbers: dict[str, Any] = {}
    for name, judge in (("prompt", model.prompt), ("context", model.context)):
        assert isinstance(judge.head, WindowHead)
        tensors |= _tensors(judge.head, name)
        numbers[f"{name}.intercepts"] = judge.head.intercepts
        numbers[f"{name}.judge"] = (*judge.pooling, *judge.ideas, judge.disguised, judge.searched)
    suffix = model.suffix
    tensors |= {"suffix.centre": suffix.centre, "suffix.scale": suffix.scale}
    tensors |= _layers("suffix", suffix.hidden, suffix.output, np.float32)
    facts = {"encoder_version": encoder_version, "numbers": json.dumps(numbers)}
    save_file({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, path, metadata=facts)


def _tensors(head: WindowHead, name: str) -> dict[str, Any]:
    linear = {f"{name}.words": head.words.astype(np.float16), f"{name}.concepts": head.concepts.astype(np.float16)}
    return linear | _layers(name, head.network.hidden, head.network.output, np.float16)


def _layers(name: str, hidden: Any, output: Any, kind: Any) -> dict[str, Any]:
    named = zip(("hidden.weight", "hidden.bias", "output.weight", "output.bias"), (*hidden, *output), strict=True)
    return {f"{name}.{layer}": tensor.astype(kind) for layer, tensor in named}


def _read_layers(tensors: Tensors, name: str) -> dict[str, Any]:
    layer = {key: tensors[f"{name}.{key}"].astype(np.float32) for key in
             ("hidden.weight", "hidden.bias", "output.weight", "output.bias")}  # fmt: skip
    return {
        "hidden": (layer["hidden.weight"], layer["hidden.bias"]),
        "output": (layer["output.weight"], layer["output.bias"]),
    }


def _judge(tensors: Tensors, name: str, numbers: Mapping[str, Any]) -> Judge:
    words, concepts = (tensors[f"{name}.{part}"].astype(np.float32) for part in ("words", "concepts"))
    network = Network(**_read_layers(tensors, name))
    first, second = numbers[f"{name}.intercepts"]
    *pooling, english, other, disguised, searched = numbers[f"{name}.judge"]
    head = WindowHead(network, words, concepts, (first, second))
    return Judge(head, (pooling[0], pooling[1], pooling[2], pooling[3]), (english, other), disguised, searched)


def _suffix(tensors: Tensors, surprise: SurpriseModel) -> SuffixModel:
    return SuffixModel(surprise, tensors["suffix.centre"], tensors["suffix.scale"], **_read_layers(tensors, "suffix"))
