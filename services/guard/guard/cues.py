"""Words near a number that say what it is."""

import re

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
    """A pattern for any of these words, in any case; a blank stands for any separator."""
    either = "|".join(re.escape(word).replace(r"\ ", r"[\s_-]?") for word in listed)
    return re.compile(rf"(?<![^\W_])(?:{either})(?![^\W\d_])", re.IGNORECASE)
