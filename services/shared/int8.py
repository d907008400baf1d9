"""Models in 8 bits: quantised on a sample, measured on another, used where the difference is within a gate."""

import logging
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stdout
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from services.shared.errors import Unusable

Ids = npt.NDArray[np.int64]

GRAPH, MEASURED = "int8.xml", "int8.json"
Measure = Literal["1 - cosine", "probability"]


class Int8Refused(Unusable):
    """The model is not there in 8 bits, or differs by more than the gate allows; the message names the remedy."""


class Int8Difference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far a model in 8 bits is from the same model before, on texts that it was not quantised with."""

    measure: Measure  # of an encoder's vectors, or of a classifier's outputs
    mean: float
    of_99_percent: float
    largest: float
    texts: int
    graph: str = ""  # 12 hexadecimal digits of the SHA-256 of the graph in 8 bits that this was measured of


def quantise(graph: Path, sample: Sequence[tuple[Ids, ...]], target: Path) -> None:
    """Write `graph` to `target` with weights and activations in 8 bits, in ranges that the batches of `sample` show.

    Static, with smoothed activations (SmoothQuant, arXiv:2211.10438); takes a minute. Its bars go to standard error.
    """
    import nncf  # noqa: PLC0415 - for whoever optimises, alone
    import openvino  # noqa: PLC0415

    logging.getLogger("nncf").setLevel(logging.ERROR)  # its own way lowers handlers that others use
    with redirect_stdout(sys.stderr):
        quantised = nncf.quantize(
            openvino.Core().read_model(graph),
            nncf.Dataset(sample),
            model_type=nncf.ModelType.TRANSFORMER,
            subset_size=len(sample),
        )
    openvino.save_model(quantised, target, compress_to_fp16=False)


def keep(folder: Path, built: Path, difference: Int8Difference) -> Int8Difference:
    """Put the graph that lies in `built` into a converted model's `folder`; it counts once its measure is there.

    The measure as it is kept names the graph.
    """
    (folder / MEASURED).unlink(missing_ok=True)
    hashed = sha256()
    for name in (Path(GRAPH).with_suffix(".bin").name, GRAPH):
        hashed.update((built / name).read_bytes())
        shutil.move(built / name, folder / name)
    kept = msgspec.structs.replace(difference, graph=hashed.hexdigest()[:12])
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        file.write(msgspec.json.encode(kept))
    Path(file.name).rename(folder / MEASURED)
    return kept


def measured(folder: Path) -> Int8Difference | None:
    """How the model in `folder` differs in 8 bits; None where it is not there in 8 bits."""
    try:
        return msgspec.json.decode((folder / MEASURED).read_bytes(), type=Int8Difference)
    except FileNotFoundError:
        return None


def signature(folder: Path) -> str:
    """What the version of the model in `folder` says where it runs in 8 bits: another sample makes another graph."""
    found = measured(folder)
    return f"int8.{found.graph[:6]}" if found and found.graph else "int8"


def allowed(folder: Path, gate: float, *, name: str) -> Path:
    """The graph in 8 bits of the converted model in `folder`; raises Int8Refused where the gate is closed."""
    found = measured(folder)
    if found is None:
        raise Int8Refused(
            f"{folder.name} is not there in int8: run `tidemark models optimize {name}`, or set precision to auto"
        )
    if found.of_99_percent > gate:
        raise Int8Refused(
            f"{folder.name} in int8 differs by {found.of_99_percent:.3g} ({found.measure}, 99 % of the measured), "
            f"allowed is {gate:g}: set precision to auto, or the gate higher"
        )
    return folder / GRAPH
