"""The encoder, loaded when a text needs it."""

from collections.abc import Sequence
from functools import cached_property
from threading import Lock

import numpy as np
import numpy.typing as npt

from services.shared.encoder import Encoder, EncoderOptions
from services.shared.model_store import find
from services.shared.vocabulary import Words


class LateEncoder:
    """An encoder that is loaded by its first text: most applications never send a reference. For several threads.

    Raises ModelMissingError, with the remedy, when it is made.
    """

    def __init__(self, options: EncoderOptions) -> None:
        self._options = options
        self._one_at_a_time = Lock()
        model = find(options.model, options.models)
        self.version = options.signed(model.version, options.precision, model.folder)

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Unit vectors (texts by dimension)."""
        with self._one_at_a_time:
            return self._loaded.encode(texts)

    def words(self, texts: Sequence[str]) -> list[Words]:
        """How many words of each text the model knows."""
        with self._one_at_a_time:
            return self._loaded.words(texts)

    @cached_property
    def _loaded(self) -> Encoder:
        return Encoder.load(self._options)
