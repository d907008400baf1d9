"""What must not leave the process, replaced by the name of what it was."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

Mask = Callable[[str], str]


def luhn(digits: str) -> bool:
    """Whether the digits carry a valid check digit (ISO/IEC 7812-1).

    >>> luhn("4111111111111111"), luhn("4111111111111112")
    (True, False)
    """
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def iban(text: str) -> bool:
    """Whether the text carries a valid IBAN checksum (ISO 13616).

    >>> iban("DE89370400440532013000"), iban("DE89370400440532013001")
    (True, False)
    """
    return int("".join(str(int(letter, 36)) for letter in text[4:] + text[:4])) % 97 == 1


IBAN_LENGTHS = {
    country[:2]: int(country[2:])
    for country in (
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 "
        "FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 "
        "LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 "
        "SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20"
    ).split()
}


def _web_token(match: re.Match[str]) -> str:
    return "[token]" if match[1] else match[0]


def _card(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match[0])
    return "[card]" if luhn(digits) else match[0]


def _iban(match: re.Match[str]) -> str:
    """Mask as many characters as the country's numbers have: the words behind may look like more of it."""
    length, end = IBAN_LENGTHS.get(match[0][:2], 0), 0
    for letter in match[0]:
        end += 1
        length -= letter != " "
        if length == 0:
            break
    return "[iban]" + match[0][end:] if length == 0 and iban(match[0][:end].replace(" ", "")) else match[0]


class Pattern(NamedTuple):
    """What to look for and what to put there; a text (in small letters) without any of `needs` is not searched.

    Expressions begin with the characters that a match can begin with, and look behind afterwards: so the search skips
    what it cannot use. Both together make two kilobytes of prose cost microseconds.
    """

    needs: tuple[str, ...]
    expression: re.Pattern[str]
    replacement: str | Callable[[re.Match[str]], str]


# In this order: a secret may contain digits that look like a card, a card some that look like a telephone number.
# Every expression is linear in the text: no part of one can match what its neighbour matches, and what may be long
# takes in, or ends at, whatever could begin within it. So a private key that was cut off ends with the text or at
# another one, and what only begins like a web token is matched too, and put back.
PATTERNS = {
    "private_key": Pattern(
        ("private key-----",),
        re.compile(
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[A-Za-z0-9+/=\s:,]*+"
            r"(?:-(?!----(?:BEGIN|END) [A-Z ]{0,30}PRIVATE KEY-----)[A-Za-z0-9+/=\s:,]*+)*+"
            r"(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z|(?=-))"
        ),
        "[private_key]",
    ),
    "web_token": Pattern(("eyj",), re.compile(r"\beyJ[\w-]{8,}+(\.eyJ[\w-]{8,}+\.[\w-]+)?"), _web_token),
    "token": Pattern(
        tuple(
            "sk- akia asia ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- xox aiza hf_ k_live_ k_test_ pypi- npm_ "
            "tdm_".split()
        ),
        re.compile(
            r"\b(?:sk-[\w-]{16,}|(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_\w{30,}"
            r"|github_pat_\w{30,}|glpat-[\w-]{20,}|xox[abeoprs]-[\w-]{10,}|AIza[\w-]{35}|hf_\w{30,}"
            r"|[rs]k_(?:live|test)_\w{16,}|pypi-[\w-]{30,}|npm_\w{30,}|tdm_[\w-]{20,})"
        ),
        "[token]",
    ),
    "bearer": Pattern(
        ("bearer ", "basic "), re.compile(r"(?i)\b(bearer|basic) +(?=[^ ]*[\d=._-])[\w.~+/-]{8,}=*"), r"\1 [token]"
    ),
    "secret": Pattern(
        tuple("apikey api_key api-key secret password passwd accesstoken access_token access-token".split()),
        re.compile(
            r"(?i)\b((?:api[_-]?key|secret|password|passwd|access[_-]?token)[\"']?\s?[:=]\s?[\"']?)[^\s\"',;]{6,}"
        ),
        r"\1[secret]",
    ),
    "email": Pattern(
        ("@",),
        re.compile(r"[\w.+-](?<![\w.+-].)[\w.+-]{0,63}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}\b"),
        "[email]",
    ),
    "iban": Pattern(tuple("0123456789"), re.compile(r"[A-Z](?<!\w.)[A-Z]\d{2}(?: ?[A-Z0-9]){11,30}\b"), _iban),
    "card": Pattern(tuple("0123456789"), re.compile(r"\d(?<![\w.-].)(?:[ -]?\d){12,18}(?![\w-]|\.\d)"), _card),
    "phone": Pattern(
        tuple("0123456789"),
        re.compile(
            r"[+(\d](?<![\w.+-].)(?:(?<=\+)\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d(?:[ .-]?\d){5,11}"
            r"|(?<=\()\d{3}\) ?\d{3}-\d{4}|(?<=\d)\d{2}-\d{3}-\d{4})(?![\w-])"
        ),
        "[phone]",
    ),
}


def builtin(names: Iterable[str] = tuple(PATTERNS)) -> Mask:
    """A mask of the named patterns (all by default), which runs them in the order of `PATTERNS`.

    It finds what has a form (addresses, numbers with check digits, keys with prefixes), not names or street addresses.

    >>> builtin()("Write to ada@example.org, card 4111 1111 1111 1111")
    'Write to [email], card [card]'
    """
    chosen = [PATTERNS[name] for name in PATTERNS if name in set(names)]

    def mask(text: str) -> str:
        small = text.lower()
        for needs, expression, replacement in chosen:
            if any(map(small.__contains__, needs)):
                text = expression.sub(replacement, text)
        return text

    return mask


class Masker:
    """Masks in a row; a text that one of them fails on is dropped, never passed on unmasked."""

    def __init__(self, masks: Iterable[Mask]) -> None:
        self._masks = tuple(masks)
        self.failed = 0
        self.last_failure = ""

    def __call__(self, text: str) -> str | None:
        """The masked text, or None where a mask raised or answered something that is no text."""
        try:
            for mask in self._masks:
                text = mask(text)
            if isinstance(text, str):
                return text
            self.last_failure = f"answered {type(text).__name__}"
        except Exception as error:  # whatever it is, the text must not leave unmasked
            self.last_failure = type(error).__name__
        self.failed += 1
        return None
