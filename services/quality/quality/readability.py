"""How easily an English response reads."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from schemas.messages import Call
from services.quality.quality.languages import Languages
from services.shared.scoring import Measured, Metric, Missing, Result

READABILITY = Metric("readability", unit="points", worse="lower", minimum=-200.0, maximum=122.0)
LONGEST = 60  # characters of a word; what is longer is no word and is not remembered
_WORD = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*")
# A run is taken whole, from its first: tried from each of its stops, a long one takes the square of its length.
_END = re.compile(r"(?<![.!?])[.!?]++(?=[\"'”’)\]]*(?:\s|$))|\n\s*\n")
_GROUP = re.compile(r"[aeiouy]+")
# Two vowels that are two syllables, and endings whose e is not heard.
_SPLIT = re.compile(r"i[ao]|eo(?!u)|ua(?!r)|[^q]ui[nt]|iu|ying|[aeiou]ing|ier|uou|(?<=[^t])ious")
_SILENT = re.compile(
    r"(?:[^aeiouyl]|[aeiouy]l)e$|[^aeiouytd]ed$|[^aeiouysxzcg]es$|(?:[^s]|[^h])ely$|eful$|eless$|ement$"
)


def readability(call: Call, languages: Languages) -> Result:
    """Flesch reading ease: 206.835 - 1.015 words a sentence - 84.6 syllables a word; 100 is easy, 0 hard.

    The formula is fitted to English, so other responses, and those without words, are not scored. It counts, it does
    not understand: not for tables, code or a few words. Limited to -200, which only what is no prose reaches.
    Source: Flesch, A new readability yardstick, 1948. Syllables are counted by rules.
    """
    text = call.answer
    if text is None:
        return Missing("response")
    if languages.guess(text).code != "en":
        return Missing("response in English")
    words = _WORD.findall(text)
    if not words:
        return Missing("response in English")
    sentences = max(1, len(_END.findall(text.rstrip())) + (not text.rstrip().endswith((".", "!", "?"))))
    heard = sum(syllables(word.lower()) for word in words)
    ease = 206.835 - 1.015 * len(words) / sentences - 84.6 * heard / len(words)
    return Measured(min(max(ease, READABILITY.minimum), READABILITY.maximum))


def syllables(word: str) -> int:
    """Syllables of an English word in lower case, at least one.

    >>> [syllables(word) for word in ("make", "table", "reading", "being", "ended", "rhythm")]
    [1, 2, 2, 2, 2, 1]
    """
    return max(1, len(word) // 3) if len(word) > LONGEST else _heard(word)


@lru_cache(65_536)
def _heard(word: str) -> int:
    return max(1, len(_GROUP.findall(word)) + len(_SPLIT.findall(word)) - len(_SILENT.findall(word)))


def measures(languages: Languages) -> Mapping[Metric, Callable[[Call], Result]]:
    """The metrics, by a model of languages."""
    return {READABILITY: lambda call: readability(call, languages)}
