"""The data sets that models are trained on."""

import gzip
import json
from pathlib import Path
from typing import Any


def rows(data: Path, name: str) -> list[dict[str, Any]]:
    """The rows of one gzip'ed JSON-lines file in the folder `data`."""
    with gzip.open(data / f"{name}.jsonl.gz", "rt") as file:
        return [json.loads(line) for line in file]
