"""Card and account numbers, by their check digits."""

import re
from collections.abc import Iterator
from functools import cache

from stdnum import iban, luhn, numdb
from stdnum.exceptions import ValidationError

from services.guard.guard.cues import cued, words
from services.guard.guard.found import Found

_CARD = re.compile(r"(?<![\w])(?<![\d][.,\-])\d(?:[ \-\u00a0]?\d){11,18}(?!\w|[.,-]\d)", re.ASCII)
# ISO/IEC 7812 issuer ranges and the lengths in use: American Express, Diners Club, Discover, JCB, Maestro, Mastercard,
# Mir, RuPay, UnionPay, Visa.
_ISSUERS = re.compile(
    r"3[47]\d{13}|3(?:0[0-5]|095|[689]\d)\d{11,16}|6(?:011|5\d\d|4[4-9]\d)\d{12,15}|(?:2131|1800)\d{11}|35\d{14,17}"
    r"|(?:5018|5020|5038|5[68]\d\d|6304|6390|67\d\d|0604)\d{8,15}|(?:5[1-5]\d\d|2[2-7]\d\d)\d{12}"
    r"|220[0-4]\d{12,15}|(?:60|81|82)\d{14}|508\d{13}|62\d{14,17}|4\d{12}(?:\d{3})?(?:\d{3})?"
)
_CARD_CUE = words("card", "cards", "cc", "credit", "debit", "visa", "mastercard", "amex", "maestro", "karte", "carte",
                  "tarjeta", "carta", "cartão", "kaart", "kreditkarte", "pan")  # fmt: skip
_GROUP = re.compile(r"\d{3}")
_HEAD = 4  # country and check digits
_ACCOUNT = re.compile(r"(?<![^\W_])[A-Za-z]{2}\d{2}(?:[ \-\u00a0]?[A-Za-z0-9]){11,30}", re.ASCII)


def cards(text: str) -> Iterator[Found]:
    """Numbers of 12 to 19 digits in a known issuer's range whose Luhn digit is right.

    A number that is written in no group of three or more digits is a card beside a word that says so alone.
    """
    for match in _CARD.finditer(text):
        for end in _ends(match):
            written = match[0][: end - match.start()]
            number = re.sub(r"\D", "", written)
            if not (_ISSUERS.fullmatch(number) and luhn.is_valid(number) and len(set(number)) > 1):
                continue
            known = cued(_CARD_CUE, text, match.start(), end)
            if known or _GROUP.search(written):
                yield Found(match.start(), end, "CREDIT_CARD", 0.99 if known or len(number) >= 15 else 0.7)
                break


def _ends(match: re.Match[str]) -> Iterator[int]:
    """Where the number may end: at its end, or at a separator, for what follows a number (a month, a code)."""
    yield match.end()
    for position in range(len(match[0]) - 1, 11, -1):
        if not match[0][position].isdigit():
            yield match.start() + position


def accounts(text: str) -> Iterator[Found]:
    """IBANs: the country's length and structure, and 1 modulo 97 (ISO 13616)."""
    at = 0
    while match := _ACCOUNT.search(text, at):
        if end := _account_end(text, match):
            yield Found(match.start(), end, "IBAN", 0.99)
        at = end or match.start() + _HEAD  # the next word may begin another


def _account_end(text: str, match: re.Match[str]) -> int | None:
    length = _length(match[0][:2].upper())
    places = [place for place, character in enumerate(match[0]) if character.isalnum()]
    if length is None or len(places) < length:
        return None
    end = match.start() + places[length - 1] + 1
    if text[end : end + 1].isalnum() and text[end].isascii():
        return None
    return end if valid_account(text[match.start() : end]) else None


@cache
def _length(country: str) -> int | None:
    """Of its account numbers, None where it has none.

    >>> _length("GB"), _length("XY")
    (22, None)
    """
    structure = numdb.get("iban").info(country)[0][1].get("bban")  # "4!a6!n8!n"
    return _HEAD + sum(map(int, re.findall(r"\d+", structure))) if structure else None


def valid_account(written: str) -> bool:
    """Whether `written` is an IBAN; national check digits within it are not looked at.

    >>> valid_account("GB82 WEST 1234 5698 7654 32"), valid_account("GB82 WEST 1234 5698 7654 33")
    (True, False)
    """
    try:
        iban.validate(written.replace("\u00a0", " "), check_country=False)
    except ValidationError:
        return False
    return True
