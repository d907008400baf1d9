"""What makes vectors of texts, for code that is given it."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from services.shared.vocabulary import Words

Vectors = npt.NDArray[np.float32]


class Encoder(Protocol):
    """Texts to unit vectors."""

    version: str

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors (texts by dimension, unit length)."""

    def words(self, texts: Sequence[str]) -> Sequence[Words]:
        """How many words of each text it knows."""
