"""Detectors in torch, by a directory or a name of the Hugging Face hub."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, Self

import torch
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
)

from services.hallucination.detectors import Marked
from services.shared.errors import Unusable
from services.shared.model_store import weights_folder

Kind = Literal["tokens", "entailment", "consistency"]
MOST_TOKENS = 512  # of one window, where the tokenizer names no limit
MOST_WINDOWS = 64  # of one claim, evenly spread over a long context
MOST_CHARACTERS = 262_144  # of a context or a claim: tokens of a megabyte take seconds
BATCH = 16


class UnknownDetectorError(Unusable):
    """The model is none of the kinds that are known; the message says which are."""


class TransformerDetector:
    """A token classifier (LettuceDetect), an NLI cross-encoder, or one that gives a consistency (HHEM).

    The kind is read from the configuration: the architecture, the labels' names, a single output. Safetensors only,
    and no code of the model's repository is run, so models that bring their own code are refused. A context longer
    than a window is read in windows that overlap by half; a claim, or a token, counts as supported where one window
    supports it. bf16 on CUDA, fp32 elsewhere.
    """

    def __init__(self, model: Any, tokenizer: Any, *, kind: Kind, version: str, device: str) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._kind = kind
        self._device = device
        self._bad = _bad_label(model.config, kind)
        positions = getattr(model.config, "max_position_embeddings", MOST_TOKENS)
        self._room = min(tokenizer.model_max_length, positions, 4096)
        self.version = version

    @classmethod
    def load(cls, source: str, *, device: str = "cpu") -> Self:
        """The detector `source`: a directory or hf:OWNER/NAME.

        Raises UnknownDetectorError where it is of no kind that is known, Unusable where it cannot be loaded.
        """
        folder = weights_folder(source)
        if not (folder / "model.safetensors").exists():
            raise Unusable(f"{folder} holds no model.safetensors: name a detector with its weights in one such file")
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        kind = kind_of(config, source)
        auto = AutoModelForTokenClassification if kind == "tokens" else AutoModelForSequenceClassification
        model = auto.from_pretrained(folder, use_safetensors=True, local_files_only=True).eval().to(device)
        if device == "cuda":
            model = model.to(torch.bfloat16)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)  # type: ignore[no-untyped-call]
        return cls(model, tokenizer, kind=kind, version=f"{_name(source)}-{_digest(folder)}", device=device)

    @property
    def by_sentence(self) -> bool:
        """Token classifiers read a whole response, the others sentence by sentence."""
        return self._kind != "tokens"

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[list[Marked]]:
        """For each pair of context and claim, the claim with its risk, or each of its tokens with theirs."""
        return [self._judged(_readable(context), _readable(claim)) for context, claim in pairs]

    def _judged(self, context: str, claim: str) -> list[Marked]:
        marks = []
        for start, part in self._parts(claim):
            windows = self._windows(context, part)
            found = self._tokens(windows) if self._kind == "tokens" else [Marked(0, len(part), self._risk(windows))]
            marks += [Marked(start + each.start, start + each.end, each.risk) for each in found]
        return marks or [Marked(0, len(claim), 0.0)]

    def _parts(self, claim: str) -> list[tuple[int, str]]:
        """The claim in pieces that leave half of a window to the context."""
        size = max(8, self._room // 2 - 4)
        offsets = self._tokenizer(claim, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        edges = [offsets[at][0] for at in range(0, len(offsets), size)][:MOST_WINDOWS]
        ends = [*edges[1:], offsets[min(len(offsets), size * len(edges)) - 1][1] if offsets else 0]
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

    def _logits(self, windows: Any) -> torch.Tensor:
        taken = {name: values for name, values in windows.items() if name not in {"offset_mapping", "claims"}}
        with torch.inference_mode():
            parts = [
                self._model(**{name: values[at : at + BATCH].to(self._device) for name, values in taken.items()}).logits
                for at in range(0, len(windows["input_ids"]), BATCH)
            ]
        return torch.cat(parts).float().cpu()

    def _risk(self, windows: Any) -> float:
        """The risk that no window supports the claim."""
        logits = self._logits(windows)
        if self._kind == "consistency":
            return float(1 - torch.sigmoid(logits[:, 0]).max())
        return float(1 - torch.softmax(logits, dim=1)[:, self._bad].max())

    def _tokens(self, windows: Any) -> list[Marked]:
        """Each token of the claim, at its lowest risk over the windows."""
        risks = torch.softmax(self._logits(windows), dim=2)[:, :, self._bad]
        lowest: dict[tuple[int, int], float] = {}
        for row, claims in enumerate(windows["claims"]):
            for (start, end), risk in zip(
                windows["offset_mapping"][row][claims].tolist(), risks[row][claims].tolist(), strict=True
            ):
                if end > start:
                    lowest[start, end] = min(risk, lowest.get((start, end), 1.0))
        return [Marked(start, end, risk) for (start, end), risk in sorted(lowest.items())]


def kind_of(config: Any, source: str) -> Kind:
    """What the configuration says the model is; raises UnknownDetectorError."""
    architecture = (config.architectures or [""])[0]
    if architecture.endswith("ForTokenClassification") and config.num_labels == 2:
        return "tokens"
    if architecture.endswith("ForSequenceClassification"):
        if any("entail" in name.lower() for name in config.id2label.values()):
            return "entailment"
        if config.num_labels == 1:
            return "consistency"
    raise UnknownDetectorError(
        f"{source} is a {architecture or 'model'} with labels {list(config.id2label.values())}: known are token "
        "classifiers of two labels, sequence classifiers with a label of entailment, and those with a single output"
    )


def _bad_label(config: Any, kind: Kind) -> int:
    """The output that is read: of a token classifier that of unsupported tokens, of NLI that of entailment."""
    names = {number: name.lower() for number, name in config.id2label.items()}
    if kind == "entailment":
        plain = [number for number, name in names.items() if name.startswith("entail")]
        return int(plain[0] if plain else next(number for number, name in names.items() if "entail" in name))
    return next((int(number) for number, name in names.items() if "halluc" in name or "unsupported" in name), 1)


def _readable(text: str) -> str:
    return text[:MOST_CHARACTERS].encode("utf-8", "replace").decode()


def _name(source: str) -> str:
    return source.removeprefix("hf:").rstrip("/").rsplit("/", 1)[-1]


def _digest(folder: Path) -> str:
    with (folder / "model.safetensors").open("rb") as file:
        digest = sha256(file.read())
    digest.update((folder / "config.json").read_bytes())
    return digest.hexdigest()[:12]
