"""Classifiers converted once, at set-up, and found again by every process that runs them.

`python -m services.shared.classifier_store [ADAPTER.safetensors | DIRECTORY | hf:OWNER/NAME …]` converts published
classifiers, and adapters merged into the built-in encoder, into TIDEMARK_MODELS; without a name, every adapter that
ships with a service.
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
from services.shared.adapter import Adapter, Head, Kind
from services.shared.model_store import BUILTIN, ELSEWHERE, ModelMissingError, WrongEncoderError
from services.shared.settings import models_folder

if TYPE_CHECKING:
    from services.shared.torch_adapter import HeadedEncoder
    from services.shared.torch_classifier import PublishedClassifier

FORMAT = 2  # raised when what is converted changes
SERVICES = Path(__file__).parents[1]
MANIFEST = "classifier.json"


class Interface(msgspec.Struct, frozen=True, kw_only=True):
    """What goes into a classifier and what comes out."""

    kind: Kind
    heads: tuple[Head, ...]
    inputs: tuple[str, ...]
    max_tokens: int  # of one window, special tokens included
    pad_token: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a converted classifier says of itself."""

    name: str
    source: str  # a published classifier, or the encoder that an adapter changes
    sha256: str  # of its weights
    adapter_sha256: str  # empty for a published classifier
    interface: Interface
    format: int = FORMAT


@dataclass(frozen=True)
class ConvertedClassifier:
    """A classifier on disk: an OpenVINO graph from token ids to log-odds, and its tokenizer."""

    manifest: Manifest
    folder: Path

    @property
    def version(self) -> str:
        """12 hexadecimal digits of the SHA-256 of the weights, or of the adapter, which names the encoder's.

        The same in every precision and on every device.
        """
        return (self.manifest.adapter_sha256 or self.manifest.sha256)[:12]

    @property
    def graph(self) -> Path:
        """The OpenVINO intermediate representation."""
        return self.folder / "model.xml"

    @property
    def tokenizer(self) -> Path:
        """The tokenizer as one file."""
        return self.folder / "tokenizer.json"


def find(source: str, adapter: Path | None, models: Path) -> ConvertedClassifier:
    """The converted classifier `source` under `models`, or that of `adapter` on the encoder `source`.

    Raises ModelMissingError, with the command that makes it, where there is none.
    """
    if adapter and not adapter.exists():
        raise ModelMissingError(f"there is no adapter {adapter}: name one that is there")
    if not adapter and source == BUILTIN:
        raise ModelMissingError("the built-in encoder is no classifier by itself: name an adapter for it")
    wanted = adapters.digest(adapter) if adapter else ""
    for found in converted(models):
        if (found.manifest.source, found.manifest.adapter_sha256) == (source, wanted):
            return found
    what = f"{adapter} on {source!r}" if adapter else f"the classifier {source!r}"
    remedy = f"run `{_remedy(source, adapter)}`, {ELSEWHERE}"
    raise ModelMissingError(f"{what} is not converted in {models.resolve()}: {remedy}")


def convert(source: str, adapter: Path | None, models: Path) -> ConvertedClassifier:
    """Convert the classifier `source`, or `adapter` merged into the encoder `source`, unless that is done already.

    Takes torch. Raises WrongEncoderError where the adapter was trained on another encoder, ForeignModelError where the
    classifier cannot be run here. Guarantees: what stands under its final name is complete, whatever ends the process.
    """
    origin = model_store.weights_folder(source)
    digest = adapters.digest(adapter) if adapter else ""
    sha256 = model_store.checked_sha256(source, origin) if adapter else model_store.weights_sha256(origin)
    name = "-".join(filter(None, (model_store.short_name(source), sha256[:12], digest[:12])))
    if (found := _existing(models / name)) and found.manifest.source == source:
        return found
    with model_store.written(models / name) as built:
        interface = _adapted(origin, _fitting(adapter, sha256), built) if adapter else _published(origin, built)
        manifest = Manifest(name=name, source=source, sha256=sha256, adapter_sha256=digest, interface=interface)
        (built / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
    return ConvertedClassifier(manifest, models / name)


def module(source: str, adapter: Path | None) -> "HeadedEncoder | PublishedClassifier":
    """The classifier `source` in torch, or the encoder `source` with the adapter inside its weights."""
    origin = model_store.weights_folder(source)
    if adapter is None:
        from services.shared.torch_classifier import PublishedClassifier  # noqa: PLC0415 - as below

        return PublishedClassifier.load(origin)
    from services.shared.torch_adapter import merged  # noqa: PLC0415 - torch is needed on GPUs and at set-up only

    return merged(origin, _fitting(adapter, model_store.checked_sha256(source, origin)))


def shipped() -> list[Path]:
    """The adapters that are committed with the services, in order of their names."""
    return sorted(SERVICES.glob("*/weights/*adapter.safetensors"))


def converted(models: Path) -> Iterator[ConvertedClassifier]:
    """Every converted classifier under `models`, in order of their names."""
    for path in sorted(models.glob(f"*/{MANIFEST}")):
        if found := _existing(path.parent):
            yield found


def _adapted(origin: Path, adapter: Adapter, folder: Path) -> Interface:
    from services.shared.torch_adapter import merged  # noqa: PLC0415 - torch is needed at set-up only

    facts, config = adapter.facts, model_store.config(origin)
    inputs = ("input_ids", "attention_mask", *(["token_type_ids"] if config.get("type_vocab_size", 0) > 1 else []))
    model_store.save_graph(merged(origin, adapter), inputs, folder / "model.xml")
    shutil.copyfile(origin / "tokenizer.json", folder / "tokenizer.json")
    return Interface(
        kind=facts.kind,
        heads=facts.heads,
        inputs=inputs,
        max_tokens=min(facts.max_tokens, config["max_position_embeddings"]),
        pad_token=config.get("pad_token_id") or 0,
    )


def _published(origin: Path, folder: Path) -> Interface:
    from services.shared.torch_classifier import PublishedClassifier, write_tokenizer  # noqa: PLC0415 - as above

    classifier = PublishedClassifier.load(origin)
    meant_for = write_tokenizer(origin, folder / "tokenizer.json")
    model_store.save_graph(classifier, classifier.inputs, folder / "model.xml")
    return Interface(
        kind=classifier.kind,
        heads=tuple(Head(label) for label in classifier.labels),
        inputs=classifier.inputs,
        max_tokens=min(meant_for, classifier.positions),
        pad_token=classifier.pad_token,
    )


def _fitting(path: Path, sha256: str) -> Adapter:
    adapter = adapters.read(path)
    if adapter.facts.base_sha256 != sha256:
        raise WrongEncoderError(path, trained_on=adapter.facts.base_sha256[:12], loaded=sha256[:12])
    return adapter


def _existing(folder: Path) -> ConvertedClassifier | None:
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return ConvertedClassifier(manifest, folder) if manifest.format == FORMAT else None


def _remedy(source: str, adapter: Path | None) -> str:
    if adapter and source == BUILTIN and adapter.resolve() in [path.resolve() for path in shipped()]:
        return "make setup"
    encoder = f" --encoder {source}" if adapter and source != BUILTIN else ""
    return f"python -m services.shared.classifier_store {adapter or source}{encoder}"


def main() -> None:
    """Convert the classifiers and adapters that are named, or the adapters that ship."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="adapter files, directories or hf:OWNER/NAME; by default what ships")
    parser.add_argument(
        "--encoder", default=BUILTIN, help="what adapters change: builtin, a directory or hf:OWNER/NAME"
    )
    parser.add_argument("--models", type=Path, default=os.environ.get("TIDEMARK_MODELS") or models_folder())
    given = parser.parse_args()
    for name in given.names or map(str, shipped()):
        is_adapter = name.endswith(".safetensors")
        source, adapter = (given.encoder, Path(name)) if is_adapter else (name, None)
        print(f"{name}: {convert(source, adapter, given.models).folder}")  # noqa: T201


if __name__ == "__main__":
    main()
