"""Texts to batches of token ids: tokenised once, sorted by length, cut by a budget of tokens."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

Ids = npt.NDArray[np.int64]

CHUNK = 256  # texts tokenised ahead of the forward pass
MAX_CHARACTERS = 262_144  # of one text: its tokens are found in about 0.1 s


@dataclass(frozen=True)
class Piece:
    """One window of one text, as the model takes it."""

    text: int
    ids: Sequence[int]


@dataclass(frozen=True)
class Batch:
    """Padded token ids and mask (pieces by tokens), and the text that each row belongs to."""

    texts: Sequence[int]
    ids: Ids
    mask: Ids

    @property
    def weights(self) -> npt.NDArray[np.float32]:
        """Tokens in each row: what a window counts in the mean of its text."""
        tokens: npt.NDArray[np.float32] = self.mask.sum(axis=1).astype(np.float32)
        return tokens


class TokenBatches:
    """Cuts texts into batches of at most `budget` padded tokens (a longer window stands alone).

    A text of more than `max_tokens` becomes several windows; of more than `max_windows`, that many, evenly spread
    from its first to its last. Batches come shortest first, so that little is padded.
    """

    def __init__(self, tokenizer: Path, *, max_tokens: int, budget: int, max_windows: int) -> None:
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        self._budget = budget
        self._max_windows = max_windows

    def of(self, texts: Sequence[str]) -> Iterator[Batch]:
        """Every window of every text, once."""
        order = sorted(range(len(texts)), key=lambda text: len(texts[text]))
        waiting: list[Piece] = []
        for start in range(0, len(order), CHUNK):
            chunk = order[start : start + CHUNK]
            waiting += self._pieces(chunk, [texts[text] for text in chunk])
            *full, waiting = self._cut(sorted(waiting, key=lambda piece: len(piece.ids)))
            yield from map(padded, full)
        if waiting:
            yield padded(waiting)

    def _pieces(self, numbers: Sequence[int], texts: Sequence[str]) -> list[Piece]:
        readable = [shortened(text) for text in texts]
        encodings = self._tokenizer.encode_batch_fast(readable)
        return [
            Piece(number, window)
            for number, encoding in zip(numbers, encodings, strict=True)
            for window in spread([encoding.ids, *(rest.ids for rest in encoding.overflowing)], self._max_windows)
        ]

    def _cut(self, pieces: Sequence[Piece]) -> list[list[Piece]]:
        groups: list[list[Piece]] = [[]]
        for piece in pieces:
            if groups[-1] and (len(groups[-1]) + 1) * len(piece.ids) > self._budget:
                groups.append([])
            groups[-1].append(piece)
        return groups


def padded(pieces: Sequence[Piece]) -> Batch:
    """The pieces as one batch, padded to the longest."""
    longest = max(len(piece.ids) for piece in pieces)
    ids = np.zeros((len(pieces), longest), np.int64)
    mask = np.zeros((len(pieces), longest), np.int64)
    for row, piece in enumerate(pieces):
        ids[row, : len(piece.ids)] = piece.ids
        mask[row, : len(piece.ids)] = 1
    return Batch([piece.text for piece in pieces], ids, mask)


def spread(windows: Sequence[Sequence[int]], most: int) -> list[Sequence[int]]:
    """At most `most` of the windows, evenly from the first to the last.

    >>> spread([[0], [1], [2], [3], [4]], 3)
    [[0], [2], [4]]
    """
    if len(windows) <= most:
        return list(windows)
    return [windows[round(step * (len(windows) - 1) / max(most - 1, 1))] for step in range(most)]


def shortened(text: str) -> str:
    """The text as a tokenizer can take it: no lone surrogates; of a very long text its two ends.

    A tokenizer needs seconds for a megabyte of which only `max_windows` windows would be used.
    """
    if len(text) > MAX_CHARACTERS:
        text = text[: MAX_CHARACTERS // 2] + " " + text[-MAX_CHARACTERS // 2 :]
    return text.encode("utf-8", "replace").decode()
