"""Words near a number that say what it is."""

import re

from services.guard.guard.edges import UNSPACED

BEFORE = 48  # characters: a label, a colon and a word or two
AFTER = 16


def cued(cue: re.Pattern[str], text: str, start: int, end: int, *, after: bool = False) -> bool:
    """Whether `cue` stands shortly before the characters, or, with `after`, right behind them.

    >>> cued(re.compile("phone"), "phone: 12345", 7, 12)
    True
    """
    if cue.search(text, max(0, start - BEFORE), start):
        return True
    return after and bool(cue.search(text, end, end + AFTER))


def words(*listed: str) -> re.Pattern[str]:
    """A pattern for any of these words, in any case; a blank stands for any separator.

    A word of a script without blanks is found within others.

    >>> words("tel", "電話").findall("hotel, 電話番号, telは")
    ['電話', 'tel']
    """
    either = "|".join(re.escape(word).replace(r"\ ", r"[\s_-]?") for word in listed)
    begin, end = rf"(?<![^\W_{UNSPACED}])", rf"(?![^\W\d_{UNSPACED}])"
    return re.compile(rf"{begin}(?:{either}){end}", re.IGNORECASE)
