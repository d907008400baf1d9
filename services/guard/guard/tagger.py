"""Names, addresses and telephone numbers in running text, by a small convolutional network."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from services.guard.guard.found import Found
from services.guard.guard.tokens import Lists, Token, features, tokens

Floats = npt.NDArray[np.float32]
KINDS = ("", "PERSON", "ADDRESS", "PHONE")
WINDOW = 2  # tokens on either side that one layer sees
CHUNK = 4096  # tokens at once: memory stays bounded on long texts
CACHED_WORDS = 50_000
SEED = 0.4  # the probability from which a word begins a span, and from which one beside it goes on
BESIDE = 0.1
# Between the parts of one address: signs, and what quotes or lists put before each line.
_BETWEEN = re.compile(r"[ \t\r\n,.\-]*(?:\n[>*|?#\u2022 \t]{1,4})?")
_EXTENSION = frozenset({"x", "ext", "extension"})
LEAST_DIGITS = 5  # of a telephone number


@dataclass(frozen=True)
class Weights:
    """Of the network: lists of known words, embedding (buckets by dimension), weights and bias of each layer."""

    lists: Lists
    embedding: Floats
    layers: tuple[tuple[Floats, Floats], ...]
    output: tuple[Floats, Floats]
    version: str


@dataclass
class Tagger:
    """Tags every token as a part of a name, an address, a telephone number or nothing.

    A token's vector is the sum of those of its features; each layer sees two tokens on either side of what the layer
    below saw. Time and memory are linear in the text. After the token-to-vector part of spaCy's small models
    (hash embeddings and a window convolution).
    """

    weights: Weights
    _rows: dict[str, int] = field(default_factory=dict)
    _vectors: list[Floats] = field(default_factory=list)

    def tag(self, text: str) -> list[Found]:
        """The spans, in order, with the mean probability of their tokens."""
        read = tokens(text)
        if not read:
            return []
        return list(_spans(text, read, self.probabilities([token.text for token in read])))

    def probabilities(self, words: Sequence[str]) -> Floats:
        """Of each kind for each word (words by kinds)."""
        margin = WINDOW * len(self.weights.layers)
        parts = []
        for start in range(0, len(words), CHUNK):
            left = max(0, start - margin)
            known = self._forward(words[left : start + CHUNK + margin])
            parts.append(known[start - left : start - left + CHUNK])
        return np.concatenate(parts)

    def _forward(self, words: Sequence[str]) -> Floats:
        hidden = self._known(words)
        for number, (weights, bias) in enumerate(self.weights.layers):
            above = np.maximum(_windows(hidden) @ weights + bias, 0)
            hidden = above + hidden if number else above
        return _softmax(hidden @ self.weights.output[0] + self.weights.output[1])

    def _known(self, words: Sequence[str]) -> Floats:
        """The vectors of words (words by dimension); those of different words are made once and kept."""
        if len(self._rows) > CACHED_WORDS:
            self._rows.clear()
            self._vectors.clear()
        different = {word: number for number, word in enumerate(dict.fromkeys(words))}
        for word in different:
            if word not in self._rows:
                self._rows[word] = len(self._vectors)
                self._vectors.append(self._vector(word))
        vectors = np.stack([self._vectors[self._rows[word]] for word in different])
        return vectors[[different[word] for word in words]]

    def _vector(self, word: str) -> Floats:
        found = features(word, self.weights.lists)
        vector: Floats = self.weights.embedding[found].sum(axis=0) / np.float32(np.sqrt(len(found)))
        return vector


def _windows(hidden: Floats) -> Floats:
    """Each row beside its neighbours (words by (2 WINDOW + 1) dimensions); nothing is where there is none."""
    padded = np.pad(hidden, ((WINDOW, WINDOW), (0, 0)))
    return np.concatenate([padded[shift : shift + len(hidden)] for shift in range(2 * WINDOW + 1)], axis=1)


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: Floats = powers / powers.sum(axis=1, keepdims=True)
    return result


def _spans(text: str, read: Sequence[Token], probabilities: Floats) -> Iterator[Found]:
    """Runs of one kind; parts of an address with nothing but signs between them are one, names end at a comma."""
    runs: list[list[int]] = []  # kind, first token, token after the last
    kinds = chosen(probabilities)
    for place in np.flatnonzero(kinds).tolist():
        kind = int(kinds[place])
        if not _holds(KINDS[kind], read[place].text):
            continue
        if runs and runs[-1][0] == kind and _joined(text, read, runs[-1][2], place, kind=kind):
            runs[-1][2] = place + 1
        else:
            runs.append([kind, place, place + 1])
    for kind, begin, end in runs:
        first, last = _trimmed(read, begin, end)
        if first < last and not (KINDS[kind] == "PHONE" and _digits(read[first:last]) < LEAST_DIGITS):
            sure = min(float(probabilities[first:last, kind].mean()), 1.0)
            yield Found(read[first].start, read[last - 1].end, KINDS[kind], sure)


def _holds(kind: str, word: str) -> bool:
    """Whether a word can be a part of that kind: a name ends with its line, and so does a number, or at a word."""
    if kind == "PERSON":
        return word not in ",;\n"
    return kind != "PHONE" or not (word == "\n" or (word.isalpha() and word.lower() not in _EXTENSION))


def _digits(read: Sequence[Token]) -> int:
    return sum(len(token.text) for token in read if token.text.isdigit())


def chosen(probabilities: Floats) -> npt.NDArray[np.int64]:
    """The kind of each word: one that is likely enough, and what is likely beside such a one."""
    likely = probabilities[:, 1:]
    best = likely.argmax(axis=1)
    surest = likely.max(axis=1)
    kinds = np.where(surest >= SEED, best + 1, 0)
    for _ in range(WINDOW):
        for shift in (1, -1):
            beside = np.roll(kinds, shift)
            beside[0 if shift == 1 else -1] = 0
            own = probabilities[np.arange(len(kinds)), beside]
            kinds = np.where((kinds == 0) & (beside > 0) & (own >= BESIDE), beside, kinds)
    result: npt.NDArray[np.int64] = kinds
    return result


def _joined(text: str, read: Sequence[Token], end: int, place: int, *, kind: int) -> bool:
    if place == end:
        return True
    between = text[read[end - 1].end : read[place].start]
    return KINDS[kind] == "ADDRESS" and len(between) <= 6 and _BETWEEN.fullmatch(between) is not None


def _trimmed(read: Sequence[Token], first: int, last: int) -> tuple[int, int]:
    """Without signs at the ends, but for what opens a telephone number and what abridges a name."""
    while first < last and not (read[first].text.isalnum() or read[first].text in "+("):
        first += 1
    while first < last and not (read[last - 1].text.isalnum() or read[last - 1].text in ".)"):
        last -= 1
    if last - first > 1 and read[last - 1].text == "." and len(read[last - 2].text) > 2:
        last -= 1
    return first, last
