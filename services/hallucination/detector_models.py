"""Detectors in torch, by a directory or a name of the Hugging Face hub."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import torch

from services.hallucination.detectors import Marked
from services.shared import model_store, torch_classifier
from services.shared.errors import Unusable
from services.shared.torch_classifier import ForeignModelError, PublishedClassifier

MOST_WINDOWS = 64  # of one claim, evenly spread over a long context
MOST_CHARACTERS = 262_144  # of a context or a claim: tokens of a megabyte take seconds
BATCH = 16


class TransformerDetector:
    """A token classifier (LettuceDetect), an NLI cross-encoder, or one that gives a consistency (HHEM).

    Which of them it is, its architecture and its labels say. A context longer than a window is read in windows that
    overlap by half; a claim, or a token, counts as supported where one window supports it. bf16 on CUDA, fp32
    elsewhere.
    """

    def __init__(self, classifier: PublishedClassifier, tokenizer: Any, *, label: int, version: str) -> None:
        self._classifier = classifier
        self._tokenizer = tokenizer
        self._label = label
        self._device = next(classifier.parameters()).device
        self._room = min(tokenizer.model_max_length, classifier.positions, 4096)
        self.version = version

    @classmethod
    def load(cls, source: str, *, device: str = "cpu") -> Self:
        """The detector `source`: a directory or hf:OWNER/NAME.

        Raises ForeignModelError where it is of no kind that is known, Unusable where it cannot be loaded.
        """
        folder = model_store.weights_folder(source)
        digest = _digest(folder)
        classifier = PublishedClassifier.load(folder)
        label = label_of(classifier, source)
        version = f"{model_store.short_name(source)}-{digest}.{label}"
        classifier.to(device, torch.bfloat16 if device == "cuda" else torch.float32)
        return cls(classifier, torch_classifier.tokenizer(folder), label=label, version=version)

    @property
    def by_sentence(self) -> bool:
        """Token classifiers read a whole response, the others sentence by sentence."""
        return self._classifier.kind == "sequence"

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[list[Marked]]:
        """For each pair of context and claim, the claim with its risk, or each of its tokens with theirs."""
        return [self._judged(_readable(context), _readable(claim)) for context, claim in pairs]

    def _judged(self, context: str, claim: str) -> list[Marked]:
        marks = []
        for start, part in self._parts(claim):
            windows = self._windows(context, part)
            found = [Marked(0, len(part), self._risk(windows))] if self.by_sentence else self._tokens(windows)
            marks += [Marked(start + each.start, start + each.end, each.risk) for each in found]
        return marks or [Marked(0, len(claim), 0.0)]

    def _parts(self, claim: str) -> list[tuple[int, str]]:
        """The claim in pieces that leave half of a window to the context."""
        size = max(8, self._room // 2 - 4)
        offsets = self._tokenizer(claim, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        edges = [offsets[at][0] for at in range(0, len(offsets), size)][:MOST_WINDOWS]
        if not edges:
            return []
        ends = [*edges[1:], offsets[min(len(offsets), size * len(edges)) - 1][1]]
        return [(start, claim[start:end]) for start, end in zip(edges, ends, strict=True) if end > start]

    def _windows(self, context: str, part: str) -> Any:
        """The encodings of every window of the context beside one piece of the claim."""
        length = len(self._tokenizer(part, add_special_tokens=False)["input_ids"])
        stride = max(0, (self._room - length - 4) // 2 - 1)
        encoded = self._tokenizer(
            context, part, truncation="only_first", max_length=self._room, stride=stride,
            return_overflowing_tokens=True, return_offsets_mapping=True, padding=True, return_tensors="pt",
        )  # fmt: skip
        rows = len(encoded["input_ids"])
        step = max(1, -(-rows // MOST_WINDOWS))
        encoded["claims"] = torch.tensor([[each == 1 for each in encoded.sequence_ids(row)] for row in range(rows)])
        return {name: values[::step] for name, values in encoded.items() if name != "overflow_to_sample_mapping"}

    def _probabilities(self, windows: Any) -> torch.Tensor:
        """The probability of the label that is read, of each window or of each of its tokens."""
        taken = {name: windows[name] for name in self._classifier.inputs if name in windows}
        with torch.inference_mode():
            parts = [
                self._classifier(**{name: values[at : at + BATCH].to(self._device) for name, values in taken.items()})
                for at in range(0, len(windows["input_ids"]), BATCH)
            ]
        return torch.sigmoid(torch.cat(parts)[..., self._label]).cpu()

    def _risk(self, windows: Any) -> float:
        """The risk that no window supports the claim."""
        return float(1 - self._probabilities(windows).max())

    def _tokens(self, windows: Any) -> list[Marked]:
        """Each token of the claim, at its lowest risk over the windows."""
        risks = self._probabilities(windows)
        lowest: dict[tuple[int, int], float] = {}
        for row, claims in enumerate(windows["claims"]):
            for (start, end), risk in zip(
                windows["offset_mapping"][row][claims].tolist(), risks[row][claims].tolist(), strict=True
            ):
                if end > start:
                    lowest[start, end] = min(risk, lowest.get((start, end), 1.0))
        return [Marked(start, end, risk) for (start, end), risk in sorted(lowest.items())]


def label_of(classifier: PublishedClassifier, source: str) -> int:
    """The output that is read: that of unsupported tokens, that of entailment, or the only one.

    Raises ForeignModelError where there is none of these.
    """
    names = [name.lower() for name in classifier.labels]
    if classifier.kind == "token" and len(names) == 2:
        wrong = ("halluc", "unsupported")
        named = [at for at, name in enumerate(names) if any(each in name for each in wrong)]
        bad = [at for at in named if not names[at].startswith("no")]  # not, non, no
        return next((at for at in bad if names[at].startswith(wrong)), (*bad, 1)[0])
    if classifier.kind == "sequence":
        if entailing := [at for at, name in enumerate(names) if "entail" in name]:
            return next((at for at in entailing if names[at].startswith("entail")), entailing[0])
        if len(names) == 1:
            return 0
    raise ForeignModelError(
        f"{source} is a classifier with labels {classifier.labels}: known are token classifiers of two labels, "
        "sequence classifiers with a label of entailment, and those with a single output"
    )


def _readable(text: str) -> str:
    return text[:MOST_CHARACTERS].encode("utf-8", "replace").decode()


def _digest(folder: Path) -> str:
    """Of the weights and of the configuration, which names the labels."""
    weights = folder / "model.safetensors"
    if not weights.exists():
        raise Unusable(f"{folder} holds no model.safetensors: name a detector with its weights in one such file")
    digest = sha256(weights.read_bytes())
    digest.update((folder / "config.json").read_bytes())
    return digest.hexdigest()[:12]
