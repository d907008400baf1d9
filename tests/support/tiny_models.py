"""Small random models and adapters, written to disk as the real ones are."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel

from services.shared.adapter import Adapter, Facts, Head, write

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
CHARACTERS = tuple(map(chr, range(33, 127)))
TOKENS = (*SPECIAL, *CHARACTERS, *(f"##{character}" for character in CHARACTERS), "word", "good", "bad", "river")
VOCABULARY = {token: number for number, token in enumerate(TOKENS)}
MAX_TOKENS = 48


def a_tokenizer() -> Tokenizer:
    """WordPiece over single characters and a few words."""
    tokenizer = Tokenizer(models.WordPiece(VOCABULARY, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer


def an_encoder_folder(folder: Path, *, seed: int = 0) -> Path:
    """A BERT of two layers and 32 dimensions."""
    torch.manual_seed(seed)
    config = BertConfig(**_sizes(), type_vocab_size=2)
    BertModel(config).eval().save_pretrained(folder, safe_serialization=True)
    a_tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def _sizes() -> dict[str, Any]:
    return {
        "vocab_size": len(VOCABULARY),
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": MAX_TOKENS,
        "initializer_range": 0.15,
    }


def an_adapter(
    base_sha256: str, *, kind: Any = "sequence", heads: tuple[Head, ...] = (), alike: bool = False
) -> Adapter:
    """Random changes of every linear layer of `an_encoder_folder`, and random heads, equal where they are `alike`."""
    choose = np.random.default_rng(0)
    named = heads or (Head("first"), Head("second", 0.5, -1.0, "mean"))
    layers = {"attention.self.query": (32, 32), "attention.self.key": (32, 32), "attention.self.value": (32, 32),
              "attention.output.dense": (32, 32), "intermediate.dense": (64, 32), "output.dense": (32, 64)}  # fmt: skip
    rows, biases = _random(choose, 1 if alike else len(named), 16), _random(choose, 1 if alike else len(named))
    repeats = len(named) if alike else 1
    return Adapter(
        facts=Facts(base_sha256=base_sha256, rank=4, alpha=8.0, kind=kind, heads=named, max_tokens=40),
        changes={
            f"encoder.layer.{layer}.{name}": (_random(choose, 4, inputs), _random(choose, outputs, 4))
            for layer in (0, 1)
            for name, (outputs, inputs) in layers.items()
        },
        hidden=(_random(choose, 16, 32), _random(choose, 16)),
        output=(np.repeat(rows, repeats, 0), np.repeat(biases, repeats)),
    )


def an_adapter_file(path: Path, base_sha256: str, **facts: Any) -> Path:
    """`an_adapter` in a file."""
    write(an_adapter(base_sha256, **facts), path)
    return path


def _random(choose: np.random.Generator, *shape: int) -> Any:
    """Numbers that fp16 holds exactly, so that what is read equals what was written."""
    return (choose.standard_normal(shape) * 0.2).astype(np.float16).astype(np.float32)
