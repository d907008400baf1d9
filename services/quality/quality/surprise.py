"""How surprising a response is, character by character: gibberish is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.messages import Call, Span
from services.quality.quality.languages import lettered, unlearnt
from services.quality.quality.ngrams import Codes, codes, hashes, hashes_of
from services.quality.quality.other_languages import unlearnt_language
from services.shared.scoring import Measured, Metric, Missing, Result

ORDER = 5  # characters of an n-gram, the one that is judged included
STEPS = 8.0  # of a stored count, per doubling
ALPHABET = 1 << 15  # characters among which an unknown one is one of many
PRIOR = (8.0, 4.0, 2.0, 1.0, 1.0)  # counts that the shorter context is worth, by length of context
READ = 50_000  # characters: the value is a mean, more changes nothing
MOST_BITS = 20.0
KNOWN_SHARE, KNOWN_COUNT = 0.5, 5  # characters seen less often are of scripts that were not learnt: left out
WINDOW, EVIDENCE_FROM = 80, 5.0
THRESHOLD = 7.0  # half a per cent of clean text in 20 languages reaches it: weights/TEXT_MODEL_CARD.md
SURPRISE = Metric("text_surprise", unit="bits/character", worse="higher", maximum=MOST_BITS, threshold=THRESHOLD)
Counts = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Surprise:
    """Counts of character n-grams, hashed, each slot with eight bits of its owner's hash and eight of its count."""

    owners: Counts
    counts: Counts  # in eighths of a doubling; 0 is none
    characters_seen: float
    version: str

    def bits(self, characters: Codes) -> Floats:
        """Bits of each character after the four before it: Dirichlet smoothing (MacKay, Peto 1995)."""
        chance = np.full(len(characters), 1.0 / ALPHABET)
        context = np.full(len(characters), self.characters_seen)
        sizes = range(1, min(ORDER, len(characters)) + 1)
        for size, found in zip(sizes, hashes_of(characters, sizes), strict=True):
            seen = self._count(found)
            own = chance[size - 1 :]
            before = context[size - 1 :]
            prior = PRIOR[size - 1]
            chance[size - 1 :] = (np.minimum(seen, before) + prior * own) / (before + prior)
            context[size:] = seen[:-1]
        result: Floats = np.minimum(-np.log2(chance), MOST_BITS)
        return result

    def knows(self, characters: Codes) -> npt.NDArray[np.bool_]:
        """Which characters were seen often enough to be judged."""
        return (self._count(hashes(characters, 1)) >= KNOWN_COUNT) & ~unlearnt(characters)

    def _count(self, found: npt.NDArray[np.uint64]) -> Floats:
        slot = (found % np.uint64(len(self.counts))).astype(np.int64)
        owned = self.owners[slot] == owner(found)
        result: Floats = np.where(owned, _COUNTS[self.counts[slot]], 0.0)
        return result


_COUNTS = np.concatenate(([0.0], 2 ** (np.arange(255) / STEPS)))


def owner(found: npt.NDArray[np.uint64]) -> Counts:
    """Eight bits of a hash that its slot does not tell."""
    result: Counts = (found >> np.uint64(56)).astype(np.uint8)
    return result


def readied(text: str) -> tuple[Codes, npt.NDArray[np.int64]]:
    """The characters in lower case with white space as one space and digits as 0, and where each stands."""
    # One character in lower case is two: positions would move.
    lower = text.replace("\u0130", "i").lower()
    characters = codes(lower).copy()
    blank = (characters <= 32) | (characters == 0xA0) | (characters == 0x3000)
    characters[blank] = 32
    characters[(characters >= 48) & (characters <= 57)] = 48
    kept = np.flatnonzero(~(blank & np.concatenate(([False], blank[:-1]))))
    return characters[kept], kept


def surprise(call: Call, model: Surprise) -> Result:
    """Bits per character of the response under a small model of 20 languages; about 3 for prose, over 8 for gibberish.

    A character of Chinese tells more than one of English, so the bits of a character beyond ASCII are divided by 1.4
    (two bytes of UTF-8) or 2.6 (more). Characters of scripts that were not learnt are left out, and where they are
    most, nothing is scored; nor is a text in a language that is known not to be learnt (Czech, Swahili). White space
    counts as one space and digits as 0; a character has at most 20 bits; the first 50,000 are read. Not for code,
    names or keys: they are no gibberish, and surprise. The evidence is the most surprising 80 characters.
    """
    text = call.answer
    if text is None:
        return Missing("response")
    characters, kept = readied(text[:READ])
    if len(characters) < 2:
        return Missing("response")
    known = model.knows(characters)
    if known.mean() < KNOWN_SHARE:
        return Missing("response in a learnt script")
    if unlearnt_language(lettered(text)):
        return Missing("response in a learnt language")
    bits = np.where(known, weighed(model.bits(characters), characters), 0.0)
    value = float(bits.sum() / known.sum())
    return Measured(value, _worst(bits, kept) if value >= EVIDENCE_FROM else ())


def weighed(bits: Floats, characters: Codes) -> Floats:
    """Bits of characters on one scale for all scripts."""
    width = np.where(characters < 0x80, 1.0, np.where(characters < 0x800, 1.4, 2.6))
    result: Floats = bits / width
    return result


def _worst(bits: Floats, kept: npt.NDArray[np.int64]) -> tuple[Span, ...]:
    width = min(WINDOW, len(bits))
    sums = np.cumsum(np.concatenate(([0.0], bits)))
    at = int((sums[width:] - sums[:-width]).argmax())
    mean = float(sums[at + width] - sums[at]) / width
    start, end = int(kept[at]), int(kept[at + width - 1]) + 1
    return (Span(field="response", start=start, end=end, kind="surprising", value=round(mean, 3)),)


def measures(model: Surprise) -> Mapping[Metric, Callable[[Call], Result]]:
    """The metrics, by a model of characters."""
    return {SURPRISE: lambda call: surprise(call, model)}
