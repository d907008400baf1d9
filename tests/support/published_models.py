"""Small random classifiers, written to disk as they are published."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from tests.support.tiny_models import TOKENS, a_tokenizer

SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 50,
    "initializer_range": 0.15,
}


def a_byte_level_tokenizer() -> Tokenizer:
    """RoBERTa's kind: bytes, merged nowhere."""
    letters = pre_tokenizers.ByteLevel.alphabet()
    vocabulary = {
        token: at for at, token in enumerate(("<s>", "<pad>", "</s>", "<unk>", *sorted(letters), "Ġw", "wo", "or"))
    }
    tokenizer = Tokenizer(models.BPE(vocabulary, [("Ġ", "w"), ("w", "o"), ("o", "r")], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer


def a_bert(kind: str, **labels: Any) -> Any:
    """With types."""
    return _made("Bert", kind, vocab_size=len(TOKENS), type_vocab_size=2, **labels)


def a_roberta(kind: str, **labels: Any) -> Any:
    """Positions are numbered from the padding on."""
    return _made("Roberta", kind, vocab_size=263, type_vocab_size=1, pad_token_id=1, **labels)


def a_deberta(kind: str, **labels: Any) -> Any:
    """As version 3 is: relative positions, no types."""
    relative = {"relative_attention": True, "position_buckets": 8, "pos_att_type": ["p2c", "c2p"]}
    shared = {"norm_rel_ebd": "layer_norm", "share_att_key": True, "position_biased_input": False}
    return _made("DebertaV2", kind, vocab_size=len(TOKENS), type_vocab_size=0, **relative, **shared, **labels)


def a_modern_bert(kind: str, **labels: Any) -> Any:
    """What hallucination detectors for long contexts are made of."""
    special = {"pad_token_id": 0, "cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2, "eos_token_id": 3}
    return _made("ModernBert", kind, vocab_size=len(TOKENS), local_attention=8, **special, **labels)


MODELS: Mapping[str, Callable[..., Any]] = {
    "bert": a_bert,
    "roberta": a_roberta,
    "deberta": a_deberta,
    "modernbert": a_modern_bert,
}


def published(folder: Path, family: str, kind: str, labels: tuple[str, ...], **settings: Any) -> Path:
    """A random classifier of `family` with these labels, in safetensors, and its tokenizer."""
    named = {"id2label": dict(enumerate(labels)), "label2id": {label: at for at, label in enumerate(labels)}}
    MODELS[family](kind, **named, **settings).save_pretrained(folder, safe_serialization=True)
    tokenizer = a_byte_level_tokenizer() if family == "roberta" else a_tokenizer()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=48).save_pretrained(folder)
    return folder


def _made(family: str, kind: str, **settings: Any) -> Any:
    torch.manual_seed(0)
    config = getattr(transformers, f"{family}Config")(**{**SIZES, **settings})
    return getattr(transformers, f"{family}For{kind}Classification")(config).eval()
