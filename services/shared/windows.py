"""Texts, alone or beside a context, cut into windows that a model can take."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding, Tokenizer

from services.shared.token_batches import MAX_CHARACTERS, Piece, shortened, spread
from services.shared.vocabulary import known_of

Spans = npt.NDArray[np.int64]


class Pair(NamedTuple):
    """A text that is judged beside a context; the model reads the context first."""

    context: str
    text: str


Content = str | Pair


@dataclass(frozen=True)
class Frame:
    """The special tokens that stand before, between and behind, and the types of the two parts."""

    before: Sequence[int]
    between: Sequence[int]
    behind: Sequence[int]
    types: tuple[int, int]

    @property
    def size(self) -> int:
        """How many tokens of a window it takes."""
        return len(self.before) + len(self.between) + len(self.behind)


class Windows:
    """Cuts what is judged into pieces of at most `max_tokens` tokens.

    A text alone becomes windows side by side. Beside a context, both are cut where they do not fit together: the text
    into chunks of at least half a window, the context into windows that overlap by a quarter, and every chunk is read
    beside every window. At most `max_windows` pieces come of one text, evenly spread over text and context.
    """

    def __init__(self, tokenizer: Path, *, max_tokens: int, max_windows: int) -> None:
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._max_tokens = max_tokens
        self._max_windows = max_windows
        self._alone, self._beside = _frame(self._tokenizer.encode("a")), _frame(self._tokenizer.encode("a", "a"))

    def spans(self, texts: Sequence[str]) -> list[Spans]:
        """First and last (exclusive) character of every token of each text (tokens by 2)."""
        found = self._tokenizer.encode_batch([shortened(text) for text in texts], add_special_tokens=False)
        return [_spans(text, encoding) for text, encoding in zip(texts, found, strict=True)]

    def known(self, texts: Sequence[str]) -> list[str]:
        """Each text without what the tokenizer does not know."""
        return known_of(self._tokenizer, texts)

    def of(self, numbers: Sequence[int], contents: Sequence[Content]) -> tuple[list[Piece], dict[int, Spans]]:
        """The pieces of the contents with these `numbers`, and the characters of the tokens that they judge."""
        chosen = [contents[number] for number in numbers]
        parts = dict.fromkeys(part for content in chosen for part in _parts(content))
        found = self._tokenizer.encode_batch([shortened(part) for part in parts], add_special_tokens=False)
        encodings = dict(zip(parts, found, strict=True))
        pieces: list[Piece] = []
        judged: dict[int, Spans] = {}
        for number, content in zip(numbers, chosen, strict=True):
            *context, text = _parts(content)
            chunks, windows = self._cut(encodings[text], encodings[context[0]] if context else None)
            spans = _spans(text, encodings[text])
            judged[number] = np.concatenate([spans[chunk] for chunk in chunks])
            pieces += self._pieces(number, [encodings[text].ids[chunk] for chunk in chunks], windows)
        return pieces, judged

    def _cut(self, text: Encoding, context: Encoding | None) -> tuple[list[slice], list[Sequence[int]] | None]:
        tokens = len(text.ids)
        if context is None:
            return spread(_side_by_side(tokens, self._max_tokens - self._alone.size), self._max_windows), None
        room = self._max_tokens - self._beside.size
        size = min(tokens, max(room // 2, room - len(context.ids)))
        chunks = spread(_side_by_side(tokens, size), self._max_windows)
        overlapping = _overlapping(len(context.ids), room - size)
        windows = spread(overlapping, max(1, self._max_windows // len(chunks)))
        return chunks, [context.ids[window] for window in windows]

    def _pieces(
        self, number: int, chunks: Sequence[Sequence[int]], windows: Sequence[Sequence[int]] | None
    ) -> Iterator[Piece]:
        at = 0
        for chunk in chunks:
            for window in windows if windows is not None else [None]:
                yield self._piece(number, at, chunk, window)
            at += len(chunk)

    def _piece(self, number: int, at: int, chunk: Sequence[int], window: Sequence[int] | None) -> Piece:
        if window is None:
            ids = [*self._alone.before, *chunk, *self._alone.behind]
            return Piece(number, ids, (), len(self._alone.before), at, len(chunk))
        frame = self._beside
        ids = [*frame.before, *window, *frame.between, *chunk, *frame.behind]
        first = len(frame.before) + len(window) + len(frame.between)
        types = [frame.types[0]] * first + [frame.types[1]] * (len(ids) - first)
        return Piece(number, ids, types, first, at, len(chunk))


def _parts(content: Content) -> tuple[str, ...]:
    return (content,) if isinstance(content, str) else content


def _frame(encoding: Encoding) -> Frame:
    ids, types, parts = encoding.ids, encoding.type_ids, encoding.sequence_ids
    ends = [(parts.index(part), len(parts) - parts[::-1].index(part)) for part in (0, 1) if part in parts]
    (first, stop), (start, last) = ends[0], ends[-1]
    return Frame(ids[:first], ids[stop:start], ids[last:], (types[first], types[start]))


def _side_by_side(tokens: int, size: int) -> list[slice]:
    """As few slices as hold `tokens`, of about the same length."""
    count = max(1, -(-tokens // max(size, 1)))
    edges = [round(part * tokens / count) for part in range(count + 1)]
    return [slice(start, stop) for start, stop in pairwise(edges)]


def _overlapping(tokens: int, size: int) -> list[slice]:
    if tokens <= size:
        return [slice(0, tokens)]
    step = max(1, size - size // 4)
    count = -(-(tokens - size) // step)
    starts = [round(part * (tokens - size) / count) for part in range(count + 1)]
    return [slice(start, start + size) for start in starts]


def _spans(text: str, encoding: Encoding) -> Spans:
    """The characters of each token, without white space around it, in `text` as it was before it was shortened."""
    spans = np.array(encoding.offsets, np.int64).reshape(-1, 2)
    if len(text) > MAX_CHARACTERS:
        cut, moved = MAX_CHARACTERS // 2, len(text) - MAX_CHARACTERS - 1
        spans = np.where(spans > cut, spans + moved, spans)
    starts = [start for start, stop in spans if stop - start > 1 and text[start].isspace()]
    spans[np.isin(spans[:, 0], starts), 0] += 1  # a byte-level token may begin with the space before its word
    return spans
