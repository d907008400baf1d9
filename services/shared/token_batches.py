"""Texts to batches of token ids: tokenised once, ahead of the model, sorted by length, cut by a budget of tokens."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

Ids = npt.NDArray[np.int64]
T = TypeVar("T")

CHUNK = 256  # texts tokenised ahead of the forward pass
MAX_CHARACTERS = 262_144  # of one text: its tokens are found in about 0.1 s


@dataclass(frozen=True)
class Piece:
    """One window of one text, as the model takes it.

    Of a model that labels tokens, `first` is the column of the window's first judged token, and `at` its number among
    the judged tokens of the whole text, of which the window holds `judged`.
    """

    text: int
    ids: Sequence[int]
    types: Sequence[int] = ()
    first: int = 0
    at: int = 0
    judged: int = 1


@dataclass(frozen=True)
class Batch:
    """Padded token ids, mask and types (pieces by tokens), and the piece that each row is."""

    pieces: Sequence[Piece]
    ids: Ids
    mask: Ids
    types: Ids

    @property
    def texts(self) -> Sequence[int]:
        """The text that each row belongs to."""
        return [piece.text for piece in self.pieces]

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
        self.tokenizer = Tokenizer.from_file(str(tokenizer))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(max_tokens)
        self._budget = budget
        self._max_windows = max_windows

    def of(self, texts: Sequence[str]) -> Iterator[Batch]:
        """Every window of every text, once."""
        lengths = [len(text) for text in texts]
        return batches(lengths, lambda numbers: self._pieces(numbers, texts), budget=self._budget)

    def _pieces(self, numbers: Sequence[int], texts: Sequence[str]) -> list[Piece]:
        encodings = self.tokenizer.encode_batch_fast([shortened(texts[number]) for number in numbers])
        return [
            Piece(number, window)
            for number, encoding in zip(numbers, encodings, strict=True)
            for window in spread([encoding.ids, *(rest.ids for rest in encoding.overflowing)], self._max_windows)
        ]


def batches(
    lengths: Sequence[int], pieces: Callable[[Sequence[int]], list[Piece]], *, budget: int, pad: int = 0
) -> Iterator[Batch]:
    """The `pieces` of texts of these `lengths`, each once, in batches of at most `budget` padded tokens."""
    order = sorted(range(len(lengths)), key=lambda text: lengths[text])
    waiting: list[Piece] = []
    for start in range(0, len(order), CHUNK):
        waiting += pieces(order[start : start + CHUNK])
        *full, waiting = _cut(sorted(waiting, key=lambda piece: len(piece.ids)), budget)
        yield from (padded(group, pad) for group in full)
    if waiting:
        yield padded(waiting, pad)


def ahead(found: Iterator[Batch], worker: ThreadPoolExecutor) -> Iterator[Batch]:
    """The batches, the next one made by `worker` while the caller works on this one."""
    future = worker.submit(next, found, None)
    while batch := future.result():
        future = worker.submit(next, found, None)
        yield batch


def _cut(pieces: Sequence[Piece], budget: int) -> list[list[Piece]]:
    groups: list[list[Piece]] = [[]]
    for piece in pieces:
        if groups[-1] and (len(groups[-1]) + 1) * len(piece.ids) > budget:
            groups.append([])
        groups[-1].append(piece)
    return groups


def padded(pieces: Sequence[Piece], pad: int = 0) -> Batch:
    """The pieces as one batch, padded to the longest with the token `pad`."""
    longest = max(len(piece.ids) for piece in pieces)
    ids = np.full((len(pieces), longest), pad, np.int64)
    mask = np.zeros((len(pieces), longest), np.int64)
    types = np.zeros((len(pieces), longest), np.int64)
    for row, piece in enumerate(pieces):
        ids[row, : len(piece.ids)] = piece.ids
        mask[row, : len(piece.ids)] = 1
        types[row, : len(piece.types)] = piece.types
    return Batch(pieces, ids, mask, types)


def spread(windows: Sequence[T], most: int) -> list[T]:
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
