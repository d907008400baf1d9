"""Text that is encoded inside a text."""

import binascii
import codecs
import html
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from urllib.parse import unquote

import numpy as np

from services.guard.guard.injection_views import Disguise, View

MOST_BLOBS = 16  # of one text
LONGEST_BLOB = 65_536
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_\-])[A-Za-z0-9+/_\-]{16,}={0,2}(?:\r?\n[A-Za-z0-9+/_\-]{16,}={0,2})*")
_HEXADECIMAL = re.compile(r"(?<![0-9A-Za-z])(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[ ,:]?){10,}")
_BINARY = re.compile(r"(?<![0-9])(?:[01]{8}[ ,]?){6,}")
_PERCENT = re.compile(r"(?:[\w.~+\-]{0,64}%[0-9A-Fa-f]{2})+[\w.~+\-]{0,64}")
_ESCAPES = re.compile(r"(?:(?:\\u[0-9A-Fa-f]{4}|&#x?[0-9A-Fa-f]{2,6};)[ ]?){4,}")
_ENCODED_LETTER = re.compile("%(?:4[1-9A-F]|5[0-9A]|6[1-9A-F]|7[0-9A])", re.IGNORECASE)
_UNIT = re.compile(r"\\u([0-9A-Fa-f]{4})")
_WORDS = re.compile(r"[^\W\d_]{2,}")


def decoded(view: View) -> Iterator[View]:
    """Each encoded run of `view` that decodes to words, as a view whose every character is that whole run."""
    found = 0
    for disguise, pattern, decode in _CODES:
        for match in pattern.finditer(view.text):
            text = decode(match[0][:LONGEST_BLOB])
            if text is None or not readable(text) or text == match[0]:
                continue
            yield _standing_for(view, match.start(), match.end(), text, disguise)
            found += 1
            if found == MOST_BLOBS:
                return


def rotated(view: View) -> View:
    """The view with each Latin letter thirteen places on."""
    return View(codecs.encode(view.text, "rot13"), view.starts, view.ends, "rot13")


def reversed_(view: View) -> View:
    """The view from its end to its start."""
    return View(view.text[::-1], view.starts[::-1], view.ends[::-1], "reversed")


def readable(text: str) -> bool:
    """Whether `text` is printable and half of it letters in words: what a key or a picture is not."""
    if len(text) < 6 or sum(not each.isprintable() and not each.isspace() for each in text) > 0.02 * len(text):
        return False
    return sum(len(word) for word in _WORDS.findall(text)) >= 0.5 * len(text)


def _standing_for(view: View, start: int, end: int, text: str, disguise: Disguise) -> View:
    first, last = view.span(start, end)
    return View(text, np.full(len(text), first), np.full(len(text), last), disguise)


def _from_base64(run: str) -> str | None:
    packed = "".join(run.split()).translate(str.maketrans("-_", "+/")).rstrip("=")
    packed = packed[: len(packed) - (len(packed) % 4 == 1)]
    try:
        return b64decode(packed + "=" * (-len(packed) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _from_hexadecimal(run: str) -> str | None:
    digits = re.sub(r"0x|\\x|[ ,:]", "", run)
    try:
        return bytes.fromhex(digits).decode()
    except ValueError:
        return None


def _from_binary(run: str) -> str | None:
    digits = re.sub(r"[ ,]", "", run)
    try:
        return bytes(int(digits[at : at + 8], 2) for at in range(0, len(digits), 8)).decode()
    except ValueError:
        return None


def _from_percent(run: str) -> str | None:
    """Only where a letter is encoded, which no browser does."""
    return unquote(run.replace("+", " ")) if _ENCODED_LETTER.search(run) and run.count("%") > 3 else None


def _from_escapes(run: str) -> str | None:
    return html.unescape(_UNIT.sub(lambda match: chr(int(match[1], 16)), run))


_CODES: tuple[tuple[Disguise, re.Pattern[str], Callable[[str], str | None]], ...] = (
    ("base64", _BASE64, _from_base64),
    ("hexadecimal", _HEXADECIMAL, _from_hexadecimal),
    ("binary", _BINARY, _from_binary),
    ("percent", _PERCENT, _from_percent),
    ("escapes", _ESCAPES, _from_escapes),
)
