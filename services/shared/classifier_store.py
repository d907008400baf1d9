"""Classifiers converted once, at set-up, and found again by every process that runs them.

`python -m services.shared.classifier_store [ADAPTER.safetensors …]` merges adapters into the built-in encoder and
converts the result into TIDEMARK_MODELS; without a name, every adapter that ships with a service.
"""

import argparse
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from services.shared import adapter as adapters
from services.shared import model_store
from services.shared.adapter import Head, Kind
from services.shared.model_store import BUILTIN, ModelMissingError, WrongEncoderError

if TYPE_CHECKING:
    import torch

FORMAT = 1  # raised when what is converted changes
SERVICES = Path(__file__).parents[1]
_MANIFEST = "classifier.json"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a converted classifier says of itself."""

    name: str
    source: str  # the encoder that the adapter changes
    sha256: str  # of its weights
    adapter_sha256: str
    kind: Kind
    heads: tuple[Head, ...]
    max_tokens: int
    pad_token: int
    inputs: tuple[str, ...]
    format: int = FORMAT


@dataclass(frozen=True)
class ConvertedClassifier:
    """A classifier on disk: an OpenVINO graph from token ids to logits, and its tokenizer."""

    manifest: Manifest
    folder: Path

    @property
    def version(self) -> str:
        """The first 12 hexadecimal digits of the adapter's SHA-256, which names the encoder's; the same everywhere."""
        return self.manifest.adapter_sha256[:12]

    @property
    def graph(self) -> Path:
        """The OpenVINO intermediate representation."""
        return self.folder / "model.xml"

    @property
    def tokenizer(self) -> Path:
        """The tokenizer as one file."""
        return self.folder / "tokenizer.json"


def find(source: str, adapter: Path, models: Path) -> ConvertedClassifier:
    """The converted classifier of `adapter` on the encoder `source` under `models`.

    Raises ModelMissingError, with the command that makes it, where there is none.
    """
    wanted = adapters.digest(adapter) if adapter.exists() else ""
    for found in _all(models):
        if (found.manifest.source, found.manifest.adapter_sha256) == (source, wanted):
            return found
    if not wanted:
        raise ModelMissingError(f"there is no adapter {adapter}: name one that is there")
    remedy = "make setup" if _ships(adapter) and source == BUILTIN else _command(source, adapter)
    raise ModelMissingError(f"{adapter} on {source!r} is not converted in {models.resolve()}: run `{remedy}`")


def convert(source: str, adapter: Path, models: Path) -> ConvertedClassifier:
    """Merge `adapter` into the encoder `source` and convert it, unless that is done already; takes torch.

    Raises WrongEncoderError where it was trained on another encoder. Guarantees: what stands under its final name is
    complete, whatever ends the process in between.
    """
    origin, sha256 = _origin(source, adapter)
    digest = adapters.digest(adapter)
    name = f"{model_store.short_name(source)}-{sha256[:12]}-{digest[:12]}"
    if found := _existing(models / name):
        return found
    facts = adapters.read(adapter).facts
    with model_store.written(models / name) as built:
        config = model_store.config(origin)
        inputs = ("input_ids", "attention_mask", *(["token_type_ids"] if config.get("type_vocab_size", 0) > 1 else []))
        manifest = Manifest(
            name=name,
            source=source,
            sha256=sha256,
            adapter_sha256=digest,
            kind=facts.kind,
            heads=facts.heads,
            max_tokens=min(facts.max_tokens, config["max_position_embeddings"]),
            pad_token=config.get("pad_token_id") or 0,
            inputs=inputs,
        )
        model_store.save_graph(module(source, adapter), inputs, built / "model.xml")
        shutil.copyfile(origin / "tokenizer.json", built / "tokenizer.json")
        (built / _MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
    return ConvertedClassifier(manifest, models / name)


def module(source: str, adapter: Path) -> "torch.nn.Module":
    """The encoder `source` in torch with the adapter inside its weights."""
    from services.shared.torch_adapter import merged  # noqa: PLC0415 - torch is needed on GPUs and at set-up only

    origin, _ = _origin(source, adapter)
    return merged(origin, adapters.read(adapter))


def shipped() -> list[Path]:
    """The adapters that are committed with the services, in order of their names."""
    return sorted(SERVICES.glob("*/weights/*adapter.safetensors"))


def _origin(source: str, adapter: Path) -> tuple[Path, str]:
    origin = model_store.weights_folder(source)
    sha256 = model_store.checked_sha256(source, origin)
    trained_on = adapters.read(adapter).facts.base_sha256
    if trained_on != sha256:
        raise WrongEncoderError(adapter, trained_on=trained_on[:12], loaded=sha256[:12])
    return origin, sha256


def _all(models: Path) -> Iterator[ConvertedClassifier]:
    for path in sorted(models.glob(f"*/{_MANIFEST}")):
        if found := _existing(path.parent):
            yield found


def _existing(folder: Path) -> ConvertedClassifier | None:
    try:
        manifest = msgspec.json.decode((folder / _MANIFEST).read_bytes(), type=Manifest)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return ConvertedClassifier(manifest, folder) if manifest.format == FORMAT else None


def _ships(adapter: Path) -> bool:
    return adapter.resolve() in [path.resolve() for path in shipped()]


def _command(source: str, adapter: Path) -> str:
    encoder = "" if source == BUILTIN else f" --encoder {source}"
    return f"python -m services.shared.classifier_store {adapter}{encoder}"


def main() -> None:
    """Convert the adapters that are named, or those that ship."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("adapters", nargs="*", type=Path, help="adapter files; every one that ships by default")
    parser.add_argument("--encoder", default=BUILTIN, help="builtin, a directory or hf:OWNER/NAME")
    parser.add_argument("--models", type=Path, default=Path(os.environ.get("TIDEMARK_MODELS", "models")))
    arguments = parser.parse_args()
    for path in arguments.adapters or shipped():
        print(f"{path}: {convert(arguments.encoder, path, arguments.models).folder}")  # noqa: T201


if __name__ == "__main__":
    main()
