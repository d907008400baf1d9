"""What CPU is at hand, and what it can do."""

import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path

DESCRIBED = Path("/proc/cpuinfo")
# Either multiplies bf16 in hardware: AVX-512 that says so, or tiles.
IN_BF16 = frozenset({"avx512_bf16", "amx_bf16"})


def name(described: Path = DESCRIBED) -> str:
    """The processor's name where Linux tells it, else that of the architecture."""
    return _fields(described).get("model name", platform.processor() or platform.machine())


def features(described: Path = DESCRIBED) -> frozenset[str]:
    """The CPU's flags as Linux names them (avx2, avx512f, amx_bf16, …); none where nobody tells."""
    return frozenset(_fields(described).get("flags", "").split())


def multiplies_bf16(described: Path = DESCRIBED) -> bool:
    """Whether the CPU multiplies bf16 in hardware; not where nobody tells.

    OpenVINO says so of every CPU with AVX-512, and emulates it on most of them: slower than fp32, and less exact.
    """
    return bool(features(described) & IN_BF16)


@cache
def _fields(described: Path) -> Mapping[str, str]:
    """What is told of the first processor, by name."""
    try:
        first = described.read_text().partition("\n\n")[0]
    except OSError:
        return {}
    parts = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in parts}
