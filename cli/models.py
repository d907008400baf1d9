"""`tidemark models`: what is converted, and making a model smaller at a price that is shown."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from cli.options import AsJson
from cli.printing import bytes_text, fail, say
from schemas.messages import Call
from services.shared import int8, model_store
from services.shared.classifier import Content, Pair
from services.shared.classifier_store import converted
from services.shared.engine import ModelOptions
from services.shared.errors import Unusable
from services.shared.line_scoring import BadLine, parsed
from services.shared.optimising import Comparison, Task, documentation, pruned, quantised
from services.shared.settings import models_folder

models = typer.Typer(help="List the converted models, or make one smaller and print what it costs.")

GATE = ModelOptions().int8_difference
Models = Annotated[
    Path,
    typer.Option(
        help="The folder of converted models.",
        envvar="TIDEMARK_MODELS",
        default_factory=models_folder,
        show_default="models in the checkout",
    ),
]
Named = Annotated[str, typer.Argument(help="builtin, a directory, hf:OWNER/NAME or an adapter's file.")]


@models.command("list")
def list_models(folder: Models, as_json: AsJson = False) -> None:
    """List the converted models: what each is for, its size, and its difference in int8 where it has been quantised.

    Exit code 1 where there is none.
    """
    found = [*map(_encoder, model_store.every(folder)), *map(_classifier, converted(folder))]
    if as_json:
        print(json.dumps({"models": found}))
    for model in () if as_json else found:
        in_int8 = f", int8 {model['int8']['of_99_percent']:.3g}" if model["int8"] else ""
        print(f"{model['name']}: {model['kind']}, {', '.join(model['outputs'])}, {bytes_text(model['bytes'])}{in_int8}")
    if not found:
        fail(f"no model is converted in {folder.resolve()}: run `make setup`, {model_store.ELSEWHERE}", code=1)


@models.command()
def optimize(  # noqa: PLR0913, PLR0917 - the options of a command
    model: Named,
    folder: Models,
    encoder: Annotated[str, typer.Option(help="What an adapter changes.")] = model_store.BUILTIN,
    layers: Annotated[int, typer.Option(min=0, help="Prune to so many layers instead of quantising.")] = 0,
    output: Annotated[Path | None, typer.Option(help="Where the pruned model goes.", file_okay=False)] = None,
    sample: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="JSON lines of calls.")] = None,
    texts: Annotated[int, typer.Option(min=20, max=5000, help="Texts that are quantised with and measured on.")] = 300,
    gate: Annotated[float, typer.Option(min=0, max=1, help="The difference that 99 % may have.")] = GATE,
    as_json: AsJson = False,
) -> None:
    """Quantise a converted model to int8, or prune it to fewer layers, and print speed and quality before and after.

    The sample's lines are objects with prompt, response and context, as `tidemark score` takes them; half of them are
    quantised with, half are measured on; without one, prose of Python's reference. int8 is put beside the
    converted model and used by services whose `precision` is int8 and whose gate it passes; a pruned model is a
    directory of its own (`--output`). Exit code 1 where more than the gate is lost, 69 where the model is not there.
    """
    is_adapter = model.endswith(".safetensors")
    contents = _read(sample, texts) if sample else documentation(texts)
    source, adapter = (encoder, Path(model)) if is_adapter else (model, None)
    task = Task(source=source, adapter=adapter, models=folder, sample=contents, threads=len(os.sched_getaffinity(0)))
    if layers and output is None:
        fail("--layers needs --output: where the pruned model goes")
    try:
        done = pruned(task, layers, output) if layers and output else quantised(task)
    except Unusable as error:
        fail(str(error), code=error.exit_code)
    _print(done, gate, as_json=as_json)
    raise typer.Exit(0 if done.difference.of_99_percent <= gate else 1)


def _print(done: Comparison, gate: float, *, as_json: bool) -> None:
    passed = done.difference.of_99_percent <= gate
    if as_json:
        print(json.dumps({**msgspec.to_builtins(done), "ratio": round(done.faster, 2), "gate": gate, "passed": passed}))
        return
    print(f"{done.model}")
    for name, side in (("before", done.before), ("after", done.after)):
        print(f"  {name:7}{side.precision:5} {side.texts_per_second:10,.1f} texts/s {side.mebibytes:8,.1f} MiB")
    apart = done.difference
    print(f"  {done.faster:.2f} times as fast, on {apart.texts} texts")
    print(
        f"  {apart.measure}: mean {apart.mean:.4g}, 99 % below {apart.of_99_percent:.4g}, largest {apart.largest:.4g}"
    )
    if not passed:
        say(f"tidemark: more than the gate of {gate:g} is lost: services do not use it in int8 unless theirs is higher")


def _read(path: Path, most: int) -> list[Content]:
    """Responses beside their context, prompts and responses alone otherwise, evenly spread over the file."""
    found: list[Content] = []
    now = datetime.now(UTC)
    with path.open("rb") as lines:
        for read in (parsed(number, line, now) for number, line in enumerate(lines, 1) if line.strip()):
            if isinstance(read, BadLine):
                say(f"line {read.line}: {read.reason}")
            else:
                found += _contents(read.call)
    step = max(1, len(found) // most)
    return found[::step][:most]


def _contents(call: Call) -> list[Content]:
    if call.response and (known := "\n".join(document.text for document in call.context)):
        return [Pair(known, call.response)]
    return [text for text in (call.prompt, call.response) if text]


def _encoder(found: model_store.ConvertedModel) -> dict[str, Any]:
    return {
        "kind": "encoder",
        "outputs": [f"{found.dimension} dimensions"],
        **_common(found.name, found.source, found.folder),
    }


def _classifier(found: Any) -> dict[str, Any]:
    interface = found.manifest.interface
    kind = {"sequence": "classifier of texts", "token": "classifier of tokens"}[interface.kind]
    heads = [head.name for head in interface.heads]
    return {"kind": kind, "outputs": heads, **_common(found.folder.name, found.manifest.source, found.folder)}


def _common(name: str, source: str, folder: Path) -> dict[str, Any]:
    difference = int8.measured(folder)
    size = (folder / "model.bin").stat().st_size
    return {"name": name, "source": source, "bytes": size, "int8": difference and msgspec.to_builtins(difference)}
