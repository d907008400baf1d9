"""Dates of birth."""

import re
from collections.abc import Iterator

from services.guard.guard.cues import cued, words
from services.guard.guard.edges import PART
from services.guard.guard.found import Found

_MONTH = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez|janv|févr|avr|juin|juil|août|sept|déc|ene|abr"
    r"|ago|dic|gen|mag|giu|lug|set|ott|fev|out)[^\W\d_]{0,7}\.?"
)
_YEAR = r"(?:19|20)\d\d"
_DATE = re.compile(
    rf"(?<![{PART}./-])(?:{_YEAR}[-/. ][01]?\d[-/. ][0-3]?\d|[0-3]?\d[-/. ][0-3]?\d[-/. ](?:{_YEAR}|\d\d)"
    rf"|[0-3]?\d(?:st|nd|rd|th)?\.?[ -](?:of |de )?{_MONTH}(?: de)?,?[ -]{_YEAR}"
    rf"|{_MONTH} [0-3]?\d(?:st|nd|rd|th)?,? {_YEAR}"
    rf"|{_YEAR}年[01]?\d月[0-3]?\d日)(?![{PART}]|[-/.]\d)",
    re.IGNORECASE,
)
_CUE = words(
    "born", "dob", "d.o.b", "date of birth", "birth date", "birthdate", "birth", "birthday", "geboren", "geburtsdatum",
    "geburtstag", "né le", "née le", "date de naissance", "nacido", "nacida", "nací", "fecha de nacimiento", "nato il",
    "nata il",
    "data di nascita", "nascido", "nascida", "data de nascimento", "geboortedatum", "född", "syntynyt", "født",
    "urodzony", "urodzona", "data urodzenia", "родился", "родилась", "дата рождения", "生年月日", "出生日期", "生于",
    "doğum",
)  # fmt: skip


def births(text: str) -> Iterator[Found]:
    """Dates beside a word that makes them the birth of somebody."""
    for match in _DATE.finditer(text):
        if cued(_CUE, text, match.start(), match.end()):
            yield Found(match.start(), match.end(), "DATE_OF_BIRTH", 0.95)
