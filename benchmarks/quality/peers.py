"""Other libraries of the field, in an environment of their own: they pin what this project has newer."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.quality.sets.personal_data import Span
from services.guard.presidio import ENTITIES

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".peers"
WANTED = Path(__file__).with_name("peers.txt")
VALUES, SPANS = (Path(__file__).with_name(name) for name in ("_peer_values.py", "_peer_spans.py"))
LIMIT_SECONDS = 600
METRICS = ("prompt_toxicity.abuse", "prompt_toxicity.identity_attack")  # what they are made for


class PeerSpans(NamedTuple):
    """What a peer found in each text, and the model of names that it had; "" for patterns alone."""

    name: str
    model: str
    spans: list[list[Span]]


def values(texts: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
    """Each peer's value of each text; none, and why on stderr, where they cannot be installed."""
    said = _said(VALUES, texts) or {}
    return {name: dict(zip(texts, found, strict=True)) for name, found in said.items()}


def spans(texts: Sequence[str]) -> PeerSpans | None:
    """Presidio's spans of each text, of the kinds that ours has, too; None, and why on stderr, without it."""
    said = _said(SPANS, {"texts": texts, "entities": ENTITIES})
    return said and PeerSpans(
        said["name"], said["model"], [[(at, end, kind) for at, end, kind in each] for each in said["spans"]]
    )


def _said(script: Path, asked: object) -> Any:
    try:
        ran = subprocess.run(
            [installed(), script], input=json.dumps(asked), capture_output=True, text=True, timeout=LIMIT_SECONDS,
            check=True,
        )  # fmt: skip
    except (subprocess.SubprocessError, OSError) as error:
        print(f"quality: no peers: {error} {getattr(error, 'stderr', '') or ''}", file=sys.stderr)
        return None
    return json.loads(ran.stdout)


def installed() -> Path:
    """The interpreter of the environment, made where it is missing or other versions are wanted."""
    python, ready = FOLDER / "bin/python", FOLDER / "ready.txt"
    if not ready.is_file() or ready.read_text() != WANTED.read_text():
        uv = Path(sys.executable).with_name("uv")
        commands: tuple[list[str | Path], ...] = (
            [uv, "venv", "--clear", "--quiet", "--python", sys.executable, FOLDER],
            [uv, "pip", "install", "--quiet", "--python", python, "-r", WANTED],
        )
        for command in commands:
            subprocess.run(command, check=True, timeout=LIMIT_SECONDS, capture_output=True, text=True)
        ready.write_text(WANTED.read_text())
    return python
