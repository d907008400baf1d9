"""E-mail addresses and telephone numbers."""

import re
from collections.abc import Iterator

import phonenumbers

from services.guard.guard.cues import cued, words
from services.guard.guard.edges import PART, UNSPACED
from services.guard.guard.found import Found

# RFC 5321 lets a local part have 64 characters, RFC 1035 a label 63.
_ADDRESS = re.compile(
    rf"(?<![^\W{UNSPACED}])(?<![.%+'\-])((?:[^\W{UNSPACED}]|[.%+'\-]){{1,64}})"
    rf"@((?:[^\W{UNSPACED}]|-){{1,63}}(?:\.(?:[^\W{UNSPACED}]|-){{1,63}}){{1,8}})"
)
_TOP = re.compile(r"(?:[^\W\d_]{2,63}|xn--[a-z0-9\-]{1,59})", re.IGNORECASE)
_PASSWORD = re.compile(r"://[^\s/:@]{0,64}:\Z")
_FILES = frozenset({"png", "jpg", "jpeg", "gif", "svg", "webp"})  # icon@2x.png

_CANDIDATE = re.compile(
    rf"(?<![{PART}.+/:=#-])(?:\+|\()?\(?\d(?:[ ().\-/\u2011\u2013\u00a0]{{0,3}}\d){{5,17}}"
    rf"(?:[ ]?(?:x|ext\.?|extension)[ ]?\d{{1,6}})?(?![{PART}%]|[.,:/-]\d)",
    re.IGNORECASE,
)
_NORTH_AMERICAN = re.compile(r"(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}")
_AREA_CODE = re.compile(r"\(0?\d{2,5}\)[ -]?\d")
_DATE = re.compile(r"(?:19|20)\d\d[-./ ][01]?\d[-./ ][0-3]?\d|[0-3]?\d[-./][0-3]?\d[-./](?:19|20)?\d\d(?!\d)")
_RANGE = re.compile(r"\d+ ?[-\u2013/] ?\d+|\d{1,3}(?: \d{3})+|\d+\.\d+|\d{8}-\d+")
_EXTENSION = re.compile(r"(?i)[ ]?(?:x|ext)")
_IDENTIFIER = re.compile(rf"(?:[0-9A-Fa-f]{{4}}-|[{PART}])\Z")  # hexadecimal groups, as of UUIDs, or letters before
MOST_DIGITS = 15  # of a telephone number (ITU-T E.164)
LONGEST_TAGGED = 18  # digits: a country code and a trunk prefix are often written both
_YEARS = re.compile(r"((?:1\d|20)\d\d)[ \u00a0]?[-/\u2011\u2013][ \u00a0]?((?:1\d|20)?\d\d)")
_CUE = words(
    "phone", "phones", "phone number", "telephone", "tel", "mob", "cellphone", "whatsapp", "contact number",
    "mobile number", "cell number", "fax number", "reach me", "reach you", "reach us", "reach him",
    "reach her", "hotline", "helpline", "landline", "telefon", "telefonnummer", "tel.", "rufnummer", "anruf",
    "téléphone", "appelez", "teléfono", "móvil", "llame", "telefono", "cellulare", "telefone", "celular",
    "telefoon", "mobiel", "gsm", "puhelin", "telefonu", "телефон", "電話", "电话", "手机", "전화", "هاتف", "फ़ोन", "फोन",
    "numara", "phone no", "contact no",
)  # fmt: skip
# Words that stand beside other numbers as often: they say something of one that is written like a telephone number.
_EVERYDAY_CUE = words(
    "calls", "called", "calling", "ring", "text", "texted", "reach", "reached", "desk", "office", "home", "work",
    "handy", "portable", "call", "cell", "mobile", "contact", "dial", "sms", "fax",
)  # fmt: skip
# Some of them right before a number, or in brackets behind it, are surer.
_DIRECT = re.compile(
    r"(?<![^\W_])(?:call|cell|mobile|contact|dial|sms|fax)(?: (?:me|us|him|her|them))?(?: (?:at|on|is))?[ .:#]{0,3}\Z",
    re.IGNORECASE,
)
_BEHIND = re.compile(r" ?\((?:cell|mobile|sms|fax)\)", re.IGNORECASE)
_LIKE_A_PHONE = re.compile(r"\+|\d\D+\d|\d{9}")
# Where a national number is tried: the largest numbering plans, and those that write numbers without a country code.
_REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "AU", "IN", "BR", "JP", "PL", "SE", "CH", "ZA", "MX")


def emails(text: str) -> Iterator[Found]:
    """Addresses of the form that RFC 5321 gives them in use: no comments, no quoted local part."""
    for match in _ADDRESS.finditer(text) if "@" in text else ():
        name = match[1].lstrip(".-'%+")
        labels = match[2].rstrip("_-").split(".")
        while labels and not _TOP.fullmatch(labels[-1]):
            labels.pop()
        # `git@host` names no person.
        start, end = match.end(1) - len(name), match.start(2) + len(".".join(labels))
        other = text.startswith("(", end) or _PASSWORD.search(text, max(0, start - 80), start)
        if name and not (name.endswith(".") or name == "git" or other) and len(labels) > 1 and labels[-1] not in _FILES:
            yield Found(start, end, "EMAIL", 0.99)


def phones(text: str) -> Iterator[Found]:
    """Telephone numbers: with a country code, in the shape of a national one, or beside a word that says so."""
    for match in _CANDIDATE.finditer(text):
        confidence = _phone(text, match)
        if confidence:
            yield Found(match.start(), match.end(), "PHONE", confidence)


def other_number(text: str, start: int, end: int) -> bool:
    """Whether what stands there is written as a date, as more digits than a telephone number has, or in an identifier.

    >>> other_number("on 2026-11-05", 3, 13), other_number("on 202-555-0143", 3, 15)
    (True, False)
    """
    if _DATE.match(text, start) or _IDENTIFIER.search(text, max(0, start - 5), start):
        return True
    number = _EXTENSION.split(text[start:end])[0]
    return len(re.sub(r"\D", "", number)) > LONGEST_TAGGED


def _phone(text: str, match: re.Match[str]) -> float:
    written = match[0]
    number = _EXTENSION.split(written)[0]
    digits = re.sub(r"\D", "", number)
    if len(digits) > MOST_DIGITS or _DATE.match(number.lstrip("(")) or _are_years(number.lstrip("(")):
        return 0.0
    separated = len(number) > len(digits) + number.startswith("+")
    cues = (_CUE, _EVERYDAY_CUE) if _LIKE_A_PHONE.search(number) else (_CUE,)
    known = any(cued(cue, text, match.start(), match.end(), after=True) for cue in cues)
    known = known or (len(digits) >= 7 and _directly(text, match))
    if number.startswith("+") or (digits.startswith("00") and (separated or known)):
        return _international("+" + digits.removeprefix("00"), plausible=separated or known)
    if _NORTH_AMERICAN.fullmatch(number) or (_AREA_CODE.match(number) and len(digits) >= 7):
        return 0.9
    if known:
        return 0.8
    if not separated or _RANGE.fullmatch(number) or not digits.startswith("0"):
        return 0.0
    return 0.6 if any(_valid(digits, region) for region in _REGIONS) else 0.0


def _directly(text: str, match: re.Match[str]) -> bool:
    before = _DIRECT.search(text, max(0, match.start() - 24), match.start())
    return bool(before or _BEHIND.match(text, match.end()))


def _are_years(number: str) -> bool:
    """Whether it is a range of years, or a year and a month: no cue makes one a telephone number."""
    years = _YEARS.fullmatch(number)
    return years is not None and (len(years[2]) == 2 or years[1] <= years[2])


def _international(digits: str, *, plausible: bool) -> float:
    """A number that its country gives out; else one of a length that the country has, if it is written as one."""
    try:
        parsed = phonenumbers.parse(digits)
    except phonenumbers.NumberParseException:
        return 0.0
    if phonenumbers.is_valid_number(parsed):
        return 0.98
    return 0.8 if plausible and 7 <= len(digits) <= 16 else 0.0


def _valid(digits: str, region: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(digits, region))
    except phonenumbers.NumberParseException:
        return False
