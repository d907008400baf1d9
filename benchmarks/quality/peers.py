"""Other libraries of the field, in an environment of their own: they pin what this project has newer."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".peers"
WANTED = Path(__file__).with_name("peers.txt")
ASKED = Path(__file__).with_name("_peer_values.py")
LIMIT_SECONDS = 600
METRICS = ("prompt_toxicity.abuse", "prompt_toxicity.identity_attack")  # what they are made for


def values(texts: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
    """Each peer's value of each text; none, and why on stderr, where they cannot be installed."""
    try:
        python = installed()
        ran = subprocess.run(
            [python, ASKED], input=json.dumps(texts), capture_output=True, text=True, timeout=LIMIT_SECONDS, check=True
        )
    except (subprocess.SubprocessError, OSError) as error:
        print(f"quality: no peers: {error} {getattr(error, 'stderr', '') or ''}", file=sys.stderr)
        return {}
    return {name: dict(zip(texts, found, strict=True)) for name, found in json.loads(ran.stdout).items()}


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
