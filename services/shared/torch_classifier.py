"""Published classifiers in torch: any of transformers' own for sequences or tokens, as log-odds of their labels."""

import inspect
from pathlib import Path
from typing import Any, Self

import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer

from services.shared.adapter import Kind
from services.shared.errors import Unusable

NO_POSITIONS = 512  # tokens of a window of a model that numbers none


class ForeignModelError(Unusable):
    """The model is of a kind that cannot be run here; the message says which."""


class PublishedClassifier(torch.nn.Module):
    """A classifier as it was published, whose outputs become log-odds: texts, or texts by tokens, by labels.

    Labels that exclude each other (softmax) become the log-odds of each against all others, so that one rule holds for
    all: the sigmoid is the probability.
    """

    def __init__(self, model: Any, kind: Kind) -> None:
        super().__init__()
        self.model = model
        self.kind = kind
        config = model.config
        self.exclusive = config.num_labels > 1 and config.problem_type != "multi_label_classification"

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load what lies in `folder`: safetensors only (a pickle runs code), and no code that comes with it.

        Raises ForeignModelError where that is not possible.
        """
        local = {"local_files_only": True, "trust_remote_code": False}
        try:
            config = AutoConfig.from_pretrained(folder, **local)
            kind = _kind(config.architectures or [])
            model = _FAMILIES[kind].from_pretrained(folder, use_safetensors=True, **_eager(config), **local)
        except (ValueError, OSError) as error:
            raise ForeignModelError(f"{folder} is no classifier that can be run here: {error}") from None
        return cls(model.eval(), kind)

    @property
    def labels(self) -> list[str]:
        """The names of the outputs, in their order."""
        names = self.model.config.id2label
        return [str(names[number]) for number in sorted(names)]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs that it takes."""
        typed = "token_type_ids" in inspect.signature(self.model.forward).parameters
        has_types = typed and getattr(self.model.config, "type_vocab_size", 0) > 1
        return ("input_ids", "attention_mask", *(["token_type_ids"] if has_types else []))

    @property
    def pad_token(self) -> int:
        """The token that fills rows up."""
        return int(self.model.config.pad_token_id or 0)

    @property
    def positions(self) -> int:
        """How many tokens a window may have; those that number positions from the padding on lose some."""
        offsets = [
            layer.padding_idx + 1
            for name, layer in self.model.named_modules()
            if name.endswith("position_embeddings") and getattr(layer, "padding_idx", None) is not None
        ]
        return int(getattr(self.model.config, "max_position_embeddings", NO_POSITIONS)) - max(offsets, default=0)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Log-odds of padded token ids."""
        types = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        logits: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask, **types).logits.float()
        return against_others(logits) if self.exclusive else logits


def against_others(logits: torch.Tensor) -> torch.Tensor:
    """Each logit less the logarithm of the sum of the others' exponentials, over the last axis."""
    labels = logits.shape[-1]
    own = torch.eye(labels, dtype=logits.dtype, device=logits.device) * 1e4
    return logits - torch.logsumexp(logits.unsqueeze(-2) - own, dim=-1)


def tokenizer(folder: Path) -> Any:
    """The tokenizer of `folder`, by transformers; raises ForeignModelError where it brings code or is none."""
    try:
        return AutoTokenizer.from_pretrained(  # type: ignore[no-untyped-call]
            folder, local_files_only=True, trust_remote_code=False
        )
    except (ImportError, OSError, ValueError) as error:
        raise ForeignModelError(f"{folder} has no tokenizer that can be run here: {error}") from None


def write_tokenizer(folder: Path, path: Path) -> int:
    """Write the tokenizer of `folder` as one file; return how many tokens it is meant for.

    Raises ForeignModelError where it is not of a kind that one file can hold.
    """
    found = tokenizer(folder)
    try:
        found.backend_tokenizer.save(str(path))
    except AttributeError as error:
        raise ForeignModelError(f"{folder} has no tokenizer that one file can hold: {error}") from None
    return int(found.model_max_length)


def _kind(architectures: list[str]) -> Kind:
    if any(name.endswith("ForSequenceClassification") for name in architectures):
        return "sequence"
    if any(name.endswith("ForTokenClassification") for name in architectures):
        return "token"
    raise ValueError(f"its architecture is {', '.join(architectures) or 'not named'}, not one for classification")


def _eager(config: Any) -> dict[str, Any]:
    """ModernBERT compiles itself where it can, which a trace cannot follow."""
    return {"reference_compile": False} if config.model_type == "modernbert" else {}


_FAMILIES: dict[Kind, Any] = {"sequence": AutoModelForSequenceClassification, "token": AutoModelForTokenClassification}
