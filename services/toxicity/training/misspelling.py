"""Texts as people write who hurry, or who hide a word from a filter."""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from services.toxicity.training.examples import Example

SHARE = 0.15  # of the texts, of every kind alike: that a word is misspelt must say nothing
_WORD = re.compile(r"[^\W\d_]{4,}")
_FIGURES = str.maketrans({"a": "4", "e": "3", "i": "1", "o": "0", "s": "5", "t": "7"})
_SIGNS = str.maketrans({"a": "@", "i": "!", "s": "$", "o": "0", "e": "€"})


def some_misspelt(found: Sequence[Example], choose: random.Random) -> list[Example]:
    """The examples, SHARE of those that train with some words misspelt; what is held out stays as it was."""
    return [
        example
        if example.held_out or choose.random() >= SHARE
        else replace(example, text=misspelt(example.text, choose))
        for example in found
    ]


def misspelt(text: str, choose: random.Random) -> str:
    """The text with one way of misspelling in a third of its longer words, in one at least.

    >>> misspelt("hello", random.Random(1)) != "hello"
    True
    """
    if choose.random() < 0.1:
        return text.replace(" ", "")
    words = list(_WORD.finditer(text))
    way = choose.choice(_WAYS)
    for word in sorted(choose.sample(words, min(len(words), 1 + len(words) // 3)), key=re.Match.start, reverse=True):
        text = text[: word.start()] + way(word[0], choose) + text[word.end() :]
    return text


def _swapped(word: str, choose: random.Random) -> str:
    at = choose.randrange(1, len(word) - 2)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _dropped(word: str, choose: random.Random) -> str:
    at = choose.randrange(1, len(word) - 1)
    return word[:at] + word[at + 1 :]


def _doubled(word: str, choose: random.Random) -> str:
    at = choose.randrange(len(word))
    return word[:at] + word[at] * choose.randint(2, 4) + word[at + 1 :]


def _starred(word: str, choose: random.Random) -> str:
    at = choose.randrange(1, len(word) - 1)
    return word[:at] + "*" + word[at + 1 :]


def _spaced(word: str, choose: random.Random) -> str:
    return choose.choice((" ", ".", "-")).join(word)


def _in_figures(word: str, _: random.Random) -> str:
    return word.lower().translate(_FIGURES)


def _in_signs(word: str, _: random.Random) -> str:
    return word.lower().translate(_SIGNS)


_WAYS: Sequence[Callable[[str, random.Random], str]] = (
    _swapped, _dropped, _doubled, _starred, _spaced, _in_figures, _in_signs,
)  # fmt: skip
