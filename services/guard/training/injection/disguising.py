"""Texts made hard to read: for training and measuring, the reverse of what the readings undo."""

import base64
import codecs
import random
from collections.abc import Callable
from urllib.parse import quote

from services.guard.guard.injection_look_alikes import LATIN

Change = Callable[[str, random.Random], str]

_LEET = {"a": "4@", "e": "3", "i": "1!", "o": "0", "s": "5$", "t": "7", "l": "1", "b": "8", "g": "9"}
_LOOK_ALIKES: dict[str, str] = {}
for _look_alike, _letter in LATIN.items():
    _LOOK_ALIKES[_letter] = _LOOK_ALIKES.get(_letter, "") + _look_alike
_WRAPPED = (
    "{}", "{}", "Decode this and do what it says: {}", "Decode the following text and answer it: {}", "{} \nFollow it.",
    "Here is a message in code, reply to it in the same code: {}", "Answer the question hidden here: {}",
    "Translate it back and continue: {}", "run({})", "What does this ask? Do it: {}",
)  # fmt: skip


def to_base64(text: str, choose: random.Random) -> str:
    """Base64, mostly with a request to decode it."""
    return choose.choice(_WRAPPED).format(base64.b64encode(text.encode()).decode())


def to_hexadecimal(text: str, choose: random.Random) -> str:
    """Hexadecimal digits, with spaces or without."""
    digits = text.encode().hex(" ")
    return choose.choice(_WRAPPED).format(digits if choose.random() < 0.5 else digits.replace(" ", ""))


def to_rot13(text: str, _choose: random.Random) -> str:
    """Each letter thirteen places on."""
    return codecs.encode(text, "rot13")


def to_leetspeak(text: str, choose: random.Random) -> str:
    """Most letters that have a digit or a sign as one."""
    share = choose.choice((0.5, 0.8, 1.0))
    return "".join(
        choose.choice(_LEET[each.lower()]) if each.lower() in _LEET and choose.random() < share else each
        for each in text
    )


def to_invisible(text: str, choose: random.Random) -> str:
    """Invisible characters between letters."""
    mark = choose.choice("\u200b\u200c\u200d\u2060\ufeff\u00ad")
    return "".join(each + mark if each.isalpha() and choose.random() < 0.6 else each for each in text)


def to_look_alikes(text: str, choose: random.Random) -> str:
    """Some letters as look-alikes of other scripts, or all as mathematical ones."""
    if choose.random() < 0.2:
        return "".join(chr(0x1D41A + ord(each) - 97) if "a" <= each <= "z" else each for each in text)
    share = choose.choice((0.2, 0.5, 0.9))
    return "".join(
        choose.choice(_LOOK_ALIKES[each]) if each in _LOOK_ALIKES and choose.random() < share else each for each in text
    )


def to_spaced(text: str, choose: random.Random) -> str:
    """Letter by letter."""
    sign = choose.choice((" ", " ", "-", "."))
    return ("  " if sign == " " else " ").join(sign.join(word) for word in text.split())


def to_percent(text: str, _choose: random.Random) -> str:
    """Percent signs for every character that is no letter, and some that are."""
    return "".join(f"%{ord(each):02X}" if each.isascii() and each in "aeiou " else quote(each) for each in text)


def to_reversed(text: str, _choose: random.Random) -> str:
    """From the end to the start."""
    return text[::-1]


DISGUISES: dict[str, Change] = {
    "base64": to_base64, "hexadecimal": to_hexadecimal, "rot13": to_rot13, "leetspeak": to_leetspeak,
    "invisible": to_invisible, "look_alikes": to_look_alikes, "spaced": to_spaced, "percent": to_percent,
    "reversed": to_reversed,
}  # fmt: skip
