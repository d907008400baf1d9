"""The token classifier as the scorer wants it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from services.shared.classifier import Classifier, Pair

ADAPTER = Path(__file__).parent / "weights" / "adapter.safetensors"


class ClassifierTagger:
    """Labels the tokens of texts by the first head of a classifier of pairs."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self.weights_version = classifier.weights_version
        self.version = classifier.version

    def tag(self, given: Sequence[tuple[str, str]]) -> Sequence[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]]:
        """For each window and text the characters of the text's tokens (tokens by 2) and their log-odds (tokens)."""
        found = self._classifier.token_logits([Pair(window, text) for window, text in given])
        return [(each.spans, each.logits[:, 0].astype(np.float64)) for each in found]
