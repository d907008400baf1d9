"""Means of token states of the encoder with what was trained inside, by the engine that runs in production."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from services.shared import model_store
from services.shared.adapter import Changes
from services.shared.openvino_engine import OpenVinoEngine
from services.shared.token_batches import TokenBatches
from services.shared.torch_encoder import loaded, mean_of_tokens
from services.toxicity.toxicity import readable
from services.toxicity.training.adapting import ALPHA, RANK

Floats = npt.NDArray[np.float32]


class _Mean(torch.nn.Module):
    def __init__(self, transformer: Any) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        states = self.transformer(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return mean_of_tokens(states, attention_mask)


class Vectors:
    """Texts to vectors of the encoder with `changes`, at `strength` from 0 (as it was) to 1 (as trained)."""

    def __init__(self, changes: Changes, *, strength: float) -> None:
        base = model_store.weights_folder(model_store.BUILTIN)
        transformer = loaded(base)
        with torch.no_grad():
            for path, (first, second) in changes.items():
                change = torch.from_numpy(second @ first) * (strength * ALPHA / RANK)
                transformer.get_submodule(path).weight += change
        self.dimension = int(transformer.config.hidden_size)
        self._batches = TokenBatches(base / "tokenizer.json", max_tokens=256, budget=1024, max_windows=1)
        with tempfile.TemporaryDirectory() as scratch:
            graph = Path(scratch) / "model.xml"
            model_store.save_graph(_Mean(transformer).eval(), ("input_ids", "attention_mask"), graph)
            self._engine = OpenVinoEngine(graph, threads=2)

    def of(self, texts: Sequence[str]) -> Floats:
        """Vectors (texts by dimension) in the order of `texts`."""
        result = np.zeros((len(texts), self.dimension), np.float32)
        for batch in self._batches.of([readable(text) for text in texts]):
            result[list(batch.texts)] = self._engine.forward(batch.ids, batch.mask)
        return result
