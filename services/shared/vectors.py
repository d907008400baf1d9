"""What makes vectors of texts, for code that is given it."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


class Encoder(Protocol):
    """Texts to unit vectors."""

    version: str

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors (texts by dimension, unit length)."""
