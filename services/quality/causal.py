"""Log-probabilities of a response by a named causal language model, where the call brings none of its own."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Self

import torch
from msgspec.structs import replace
from transformers import AutoModelForCausalLM

from schemas.messages import Call
from services.quality.quality.log_probability import (
    PERPLEXITY,
    TOKEN_ENTROPY,
    log_probabilities,
    perplexity,
    token_entropy,
)
from services.quality.quality.measure import Measure
from services.shared import model_store, torch_classifier
from services.shared.scoring import Result
from services.shared.torch_classifier import ForeignModelError
from services.shared.weights import version_of

MOST_CHARACTERS = 65_536  # of a question or a response
MOST_TOKENS = 8192  # of a response
LONGEST_WINDOW = 2048  # tokens
KEPT = 1024  # answers whose log-probabilities are remembered: two measures ask for each


class CausalModel:
    """Any of transformers' causal models: a directory or hf:OWNER/NAME, weights in safetensors, no code of its own.

    A response is read behind its question, in windows that overlap by half where it is longer than the model reads.
    bf16 on CUDA, fp32 elsewhere.
    """

    def __init__(self, model: Any, tokenizer: Any, version: str) -> None:
        self._model, self._tokenizer, self.version = model, tokenizer, version
        positions = getattr(model.config, "max_position_embeddings", None) or LONGEST_WINDOW
        self._room = max(8, min(int(positions), LONGEST_WINDOW))
        self._start = [] if tokenizer.bos_token_id is None else [int(tokenizer.bos_token_id)]
        self.log_probabilities = lru_cache(KEPT)(self._log_probabilities)

    @classmethod
    def load(cls, source: str, *, device: str = "cpu") -> Self:
        """The model `source`; raises ForeignModelError where it cannot be run here."""
        folder = model_store.weights_folder(source)
        tokenizer = torch_classifier.tokenizer(folder)
        kind = torch.bfloat16 if device == "cuda" else torch.float32
        try:
            model: Any = AutoModelForCausalLM.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, torch_dtype=kind
            )
        except (OSError, ValueError) as error:
            raise ForeignModelError(f"{folder} is no causal model that can be run here: {error}") from None
        weights = sorted(folder.glob("*.safetensors"))
        return cls(model.to(device).eval(), tokenizer, f"{model_store.short_name(source)}-{version_of(*weights)}")

    def completed(self, call: Call) -> Call:
        """The call with log-probabilities: its own, or those of this model for what it answered."""
        if log_probabilities(call) or not call.answer:
            return call
        return replace(call, log_probabilities=self.log_probabilities(call.question or "", call.answer))

    def _log_probabilities(self, question: str, answer: str) -> tuple[float, ...]:
        """Of each token of `answer` behind `question`; without a question, none of the very first."""
        own = self._ids(answer)[:MOST_TOKENS]
        asked = self._ids(question)[-self._room // 4 :]
        ids = [*self._start, *asked, *own]
        done = max(1, len(ids) - len(own))  # nothing stands before the first
        found: list[float] = []
        for begin in range(0, len(ids), self._room // 2):
            window = ids[begin : begin + self._room]
            if begin + len(window) > done:
                found += self._of(window, done - begin)
                done = begin + len(window)
        return tuple(found)

    def _of(self, window: Sequence[int], first: int) -> list[float]:
        """The log-probabilities of the tokens of a window from `first` on."""
        given = torch.tensor([window], device=self._model.device)
        with torch.inference_mode():
            logits = self._model(input_ids=given).logits[0, first - 1 : -1].float()
        chosen = torch.log_softmax(logits, dim=-1).gather(1, given[0, first:, None])
        return [min(0.0, float(each)) for each in chosen[:, 0]]

    def _ids(self, text: str) -> list[int]:
        readable = text[:MOST_CHARACTERS].encode("utf-8", "replace").decode()
        ids: list[int] = self._tokenizer(readable, add_special_tokens=False)["input_ids"]
        return ids


def measures(model: CausalModel) -> tuple[Measure, ...]:
    """Perplexity and entropy, by `model` where the call has no log-probabilities."""
    return tuple(_measure(model, *each) for each in ((PERPLEXITY, perplexity), (TOKEN_ENTROPY, token_entropy)))


def _measure(model: CausalModel, metric: Any, judge: Callable[[Call], Result]) -> Measure:
    return Measure(metric, lambda calls: [judge(model.completed(call)) for call in calls], f"causal:{model.version}")
