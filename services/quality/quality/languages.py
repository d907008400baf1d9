"""Which language a text is in, and how sure that is."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from services.quality.quality.ngrams import Codes, codes, hashes_of
from services.quality.quality.other_languages import unlearnt_language

UNLEARNT = "und"  # what ISO 639 calls undetermined: another language, in a script that was learnt
NGRAMS = range(1, 5)  # characters
READ = 1_000  # letters and spaces: more changes no verdict
_RAW = 8_000  # characters among which they are looked for
_NOISE = re.compile(
    r"```[^`]{0,4000}(?:```|$)|~~~[^~]{0,4000}~~~|`[^`\n]{0,200}`|https?://\S+|www\.\S+"
    r"|\S[^\s@]{0,63}+@\S{1,255}\.\w+"  # as long as an address may be (RFC 5321): unbounded, a row of "@" takes minutes
    r"|</?[A-Za-z][^<>]{0,200}>|\{\{[^{}]{0,200}\}\}|\\[A-Za-z]+|\b\w+(?:[_./\\]\w+)+\b"
)
_NOISY = re.compile(r"[`~@<{\\/_]|\.\S")  # in whatever _NOISE finds
_LETTERS = re.compile(r"[^\W\d_]+(?:[\u0300-\u036f\u0900-\u0dff]+[^\W\d_]*)*")
# Scripts that one language has nearly to itself and the model has not learnt: first and last code point.
SCRIPTS = {
    "el": (0x370, 0x3FF), "hy": (0x530, 0x58F), "he": (0x590, 0x5FF), "bn": (0x980, 0x9FF), "pa": (0xA00, 0xA7F),
    "gu": (0xA80, 0xAFF), "or": (0xB00, 0xB7F), "ta": (0xB80, 0xBFF), "te": (0xC00, 0xC7F), "kn": (0xC80, 0xCFF),
    "ml": (0xD00, 0xD7F), "si": (0xD80, 0xDFF), "th": (0xE00, 0xE7F), "lo": (0xE80, 0xEFF), "bo": (0xF00, 0xFFF),
    "my": (0x1000, 0x109F), "ka": (0x10A0, 0x10FF), "am": (0x1200, 0x137F), "km": (0x1780, 0x17FF),
}  # fmt: skip
_EDGES = np.array([edge for first, last in SCRIPTS.values() for edge in (first, last + 1)])
Weights = npt.NDArray[np.float32]


class Guess(NamedTuple):
    """A language (ISO 639-1) and the probability that it is this one; "" where there are no letters, or `UNLEARNT`."""

    code: str
    probability: float


@dataclass(frozen=True, eq=False)
class Languages:
    """Naive Bayes over hashed character n-grams; probabilities are flattened by a temperature that grows with length.

    Not for telling close relatives it has not learnt apart: Danish is taken for Swedish, Catalan for Spanish.
    """

    codes: tuple[str, ...]
    weights: Weights  # log-probabilities (buckets by languages)
    calibration: tuple[float, float]  # scale and power of the length
    version: str
    _known: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the languages."""
        object.__setattr__(self, "_known", {code: at for at, code in enumerate(self.codes)})

    def probabilities(self, text: str) -> npt.NDArray[np.float64]:
        """The probability of each learnt language for text that is `lettered`; uniform without letters."""
        characters = codes(text)
        rows = np.concatenate(hashes_of(characters, NGRAMS))
        places = (rows % np.uint64(len(self.weights))).astype(np.int64)  # of this type they are taken twice as fast
        logits = np.ones(len(places)) @ self.weights.take(places, axis=0)  # their sum, in half the time
        scale, power = self.calibration
        logits *= scale * max(len(characters), 1) ** power
        spread = np.exp(logits - logits.max())
        result: npt.NDArray[np.float64] = spread / spread.sum()
        return result

    def guess(self, text: str) -> Guess:
        """The language of `text`, code, addresses and markup aside."""
        return guessed(self, text)

    def probability(self, text: str, code: str) -> float:
        """The probability that `text` is in the language `code`."""
        found = self.guess(text)
        if found.code == code:
            return found.probability
        if code not in self._known or found.code not in self._known:
            return 0.0
        return float(self.probabilities(lettered(text))[self._known[code]])

    def __hash__(self) -> int:
        """By version: equal weights are equal models."""
        return hash(self.version)

    def __eq__(self, other: object) -> bool:
        """By version, as the hash."""
        return isinstance(other, Languages) and other.version == self.version


@lru_cache(64)
def guessed(languages: Languages, text: str) -> Guess:
    """The language of a text, remembered for the metrics that ask again."""
    letters = lettered(text)
    if not letters.strip():
        return Guess("", 0.0)
    script, share = _script(letters)
    if share > 0.5:
        return Guess(script, min(0.999, share))
    if unlearnt_language(letters):
        return Guess(UNLEARNT, 1.0)
    found = languages.probabilities(letters)
    best = int(found.argmax())
    return Guess(languages.codes[best], float(found[best]))


def lettered(text: str) -> str:
    """The words of a text, in lower case, between single spaces: at most 1,000 characters.

    >>> lettered("See https://example.org: `x = 1` is Fine, 3 times.")
    ' see is fine times '
    """
    read = text[:_RAW]
    words = _LETTERS.findall((_NOISE.sub(" ", read) if _NOISY.search(read) else read).lower())
    return f" {' '.join(words)[: READ - 2]} "


def unlearnt(characters: Codes) -> npt.NDArray[np.bool_]:
    """Which characters are of scripts that no model here has learnt."""
    result: npt.NDArray[np.bool_] = np.searchsorted(_EDGES, characters, side="right") % 2 == 1
    return result


def _script(letters: str) -> tuple[str, float]:
    """The script of SCRIPTS with most letters, and its share of all letters."""
    if letters.isascii():
        return "", 0.0
    characters = codes(letters)
    characters = characters[characters != 32]
    slots = np.searchsorted(_EDGES, characters, side="right")
    inside = slots[unlearnt(characters)] // 2
    if not len(inside):
        return "", 0.0
    counts = np.bincount(inside, minlength=len(SCRIPTS))
    return list(SCRIPTS)[int(counts.argmax())], float(counts.max() / len(characters))
