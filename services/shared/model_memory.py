"""Whether a model fits into the memory that it may take."""

from collections.abc import Iterator
from pathlib import Path

import psutil

from services.shared.errors import Unusable

MEBIBYTE = 2**20
CGROUP = Path("/sys/fs/cgroup")
# Of a MiniLM of six layers: 87 MiB of weights, and 64 KiB a token for states, inner states and attention.
_WEIGHTS, _TOKEN = 87 * MEBIBYTE, 64 * 1024


class ModelTooLargeError(Unusable):
    """The model does not fit; the message says what it needs, what there is, and what to do."""


def check(graph: Path, *, batch_tokens: int, most_mb: int = 0) -> None:
    """Raise ModelTooLargeError where the model in `graph` needs more than `most_mb`, or than the machine has.

    An estimate that errs towards letting it try: half as much again as the weights (the engine packs them anew), and
    for each token of a batch what a small encoder takes, growing with the root of the weights.
    """
    weights = graph.with_suffix(".bin").stat().st_size
    needed = 1.5 * weights + batch_tokens * _TOKEN * max(1.0, weights / _WEIGHTS) ** 0.5
    available = most_mb * MEBIBYTE or available_bytes()
    if needed > available:
        raise ModelTooLargeError(
            f"{graph.parent.name} needs about {needed / MEBIBYTE:.0f} MiB with batches of {batch_tokens} tokens, "
            f"{available / MEBIBYTE:.0f} are {'allowed' if most_mb else 'available'}: choose a smaller model, fewer "
            f"batch_tokens, or {'a larger memory_mb' if most_mb else 'a larger machine'}"
        )


def available_bytes(cgroup: Path = CGROUP) -> int:
    """What this process can still take: of the machine, and of its control group where that has a limit."""
    return min([int(psutil.virtual_memory().available), *_left_in_group(cgroup)])


def _left_in_group(cgroup: Path) -> Iterator[int]:
    try:
        limit, taken = ((cgroup / name).read_text().strip() for name in ("memory.max", "memory.current"))
        if limit != "max":
            yield max(0, int(limit) - int(taken))
    except (OSError, ValueError):
        return  # no control groups of version 2
