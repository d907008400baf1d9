"""Gibberish to set texts against."""

import random
import string
from collections.abc import Sequence

KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def shuffled_letters(text: str, choose: random.Random) -> str:
    """The text with the letters of each word in another order."""
    return " ".join("".join(choose.sample(word, len(word))) for word in text.split())


def keyboard_mash(length: int, choose: random.Random) -> str:
    """What fingers on a keyboard type."""
    found = ""
    while len(found) < length:
        row = choose.choice(KEYBOARD)
        at = choose.randrange(len(row))
        found += "".join(choose.choice(row[max(at - 2, 0) : at + 3]) for _ in range(choose.randint(2, 8)))
        found += " " if choose.random() < 0.4 else ""
    return found[:length]


def random_characters(length: int, choose: random.Random, alphabet: Sequence[str] = string.printable[:94]) -> str:
    """Any characters, all as likely."""
    return "".join(choose.choice(alphabet) for _ in range(length))
