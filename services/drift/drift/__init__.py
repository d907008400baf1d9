"""Whether the calls of a window come from where those of its reference came from."""

from services.drift.drift.mmd import Kernel, Result, assignments, two_sample_test
from services.drift.drift.partition import Partition, Rules, Tally
from services.drift.drift.reference import Reference, References, Space, predecessor
from services.drift.drift.sample import Sample

__all__ = [
    "Kernel",
    "Partition",
    "Reference",
    "References",
    "Result",
    "Rules",
    "Sample",
    "Space",
    "Tally",
    "assignments",
    "predecessor",
    "two_sample_test",
]
