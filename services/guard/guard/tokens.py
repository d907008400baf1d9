"""Words of a text, and what can be seen of a word without knowing it."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from zlib import crc32

from services.guard.guard.edges import UNSPACED

BUCKETS = 1 << 15
LONGEST = 32  # letters of one token: there is no such word, and a text without blanks is to be cut somewhere
# Scripts without blanks are read character by character.
_TOKEN = re.compile(rf"[{UNSPACED}]|(?:(?![{UNSPACED}])[^\W\d_]){{1,{LONGEST}}}|\d{{1,{LONGEST}}}|\n|[^\s\w]|_")
_RUN = re.compile(r"(.)\1{2,}")


class Token(NamedTuple):
    """A word, a number, a sign or a line's end, and where it stands."""

    text: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """The tokens of `text`, in order.

    >>> [token.text for token in tokens("Ann O'Hara, 12b")]
    ['Ann', 'O', "'", 'Hara', ',', '12', 'b']
    """
    return [Token(match[0], match.start(), match.end()) for match in _TOKEN.finditer(text)]


UNKNOWN = ["l=none"] * 3
Lists = Mapping[str, frozenset[int]]


def features(word: str, lists: Lists) -> list[int]:
    """The buckets of what is seen of a word: itself, the lists that know it, its shape, its ends and its trigrams."""
    return buckets([f"w={word.lower()}", *marks(word, lists), *seen(word)])


def marks(word: str, lists: Lists) -> list[str]:
    """The names of the lists that hold a word, each thrice: they say more than one trigram."""
    place = key(word)
    return [f"l={name}" for name, held in lists.items() if place in held] * 3 or UNKNOWN


def key(word: str) -> int:
    """What a list holds of a word, whatever its case and accents."""
    return crc32(_bare(word).encode("utf-8", "surrogatepass"))


def seen(word: str) -> list[str]:
    """What can be said of a word that nobody knows."""
    if word.isdigit():
        return [f"d={len(word)}", f"s=d{min(len(word), 9)}", f"f={len(word)}{word[0] == '0'}"]
    bare = _bare(word)
    framed = f"^{bare}$"
    ends = [f"p={bare[:2]}", f"q={bare[:3]}", f"y={bare[-2:]}", f"z={bare[-3:]}"]
    return [f"s={_shape(word)}", *ends, *(f"t={framed[place : place + 3]}" for place in range(len(framed) - 2))]


def _bare(word: str) -> str:
    if word.isascii():
        return word.lower()
    return "".join(each for each in unicodedata.normalize("NFKD", word.lower()) if not unicodedata.combining(each))


def buckets(names: Iterable[str]) -> list[int]:
    """Where features lie in the embedding."""
    return [crc32(name.encode("utf-8", "surrogatepass")) % BUCKETS for name in names]


def _shape(word: str) -> str:
    marks = "".join(
        "X" if each.isupper() else "x" if each.islower() else "c" if each.isalpha() else each for each in word
    )
    return _RUN.sub(r"\1\1", marks) + str(min(len(word), 4))
