"""How much of a text a tokenizer knows."""

from collections.abc import Sequence
from typing import NamedTuple

from tokenizers import Encoding, Tokenizer

from services.shared.token_batches import shortened

_UNKNOWN = ("[UNK]", "<unk>")  # WordPiece's and SentencePiece's; a tokenizer of bytes knows everything


class Words(NamedTuple):
    """Tokens of a text that hold a letter or digit and are known, and tokens of any kind that are not."""

    known: int
    unknown: int

    @property
    def mostly_unknown(self) -> bool:
        """Whether a model sees next to nothing of the text: all such texts look alike to it."""
        return self.unknown > self.known


def words_of(tokenizer: Tokenizer, texts: Sequence[str]) -> list[Words]:
    """How many words, or parts of them, of each text the tokenizer knows; the same count whatever they mean."""
    mark = _mark(tokenizer)
    given = [shortened(text) for text in texts]
    found = []
    for text, encoding in zip(given, tokenizer.encode_batch(given, add_special_tokens=False), strict=True):
        parts = (encoding, *encoding.overflowing)
        tokens = [token for part in parts for token in zip(part.ids, part.offsets, strict=True)]
        written = [span for number, span in tokens if number != mark]
        known = sum(any(map(str.isalnum, text[start:end])) for start, end in written)
        found.append(Words(known, len(tokens) - len(written)))
    return found


def known_of(tokenizer: Tokenizer, texts: Sequence[str]) -> list[str]:
    """Each text with a blank for every token that the tokenizer, which is not to truncate, does not know."""
    mark = _mark(tokenizer)
    given = [shortened(text) for text in texts]
    found = tokenizer.encode_batch(given, add_special_tokens=False)
    return [_without(mark, text, encoding) for text, encoding in zip(given, found, strict=True)]


def _without(mark: int | None, text: str, encoding: Encoding) -> str:
    kept, at = "", 0
    for number, (start, end) in zip(encoding.ids, encoding.offsets, strict=True):
        if number == mark:
            kept, at = f"{kept}{text[at:start]} ", end
    return kept + text[at:]


def _mark(tokenizer: Tokenizer) -> int | None:
    return next((number for each in _UNKNOWN if (number := tokenizer.token_to_id(each)) is not None), None)
