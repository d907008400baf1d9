"""Keys, tokens and passwords in prompts and responses."""

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterator
from math import log2

from services.guard.guard.found import Found, settled
from services.guard.guard.secret_formats import FORMS
from services.guard.guard.text_scorer import TextScorer
from services.shared.scoring import Metric

PROMPT = Metric("prompt_secrets", unit="probability", worse="higher", maximum=1.0, threshold=0.5)
RESPONSE = Metric("response_secrets", unit="probability", worse="higher", maximum=1.0, threshold=0.5)
RULES = "secrets.5"

_BEGIN, _END = "-----BEGIN ", "-----END "
_BLOCK = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----")
_ARMOUR = re.compile(r"[A-Za-z0-9+/=:, \\\n\r\t-]*(?<=[A-Za-z0-9+/=])")
_LONGEST_BLOCK = 16_384
_CREDENTIALS = re.compile(r"(?<=://)[^\s/:@'\"<>{}$]{0,100}:([^\s/@'\"<>{}$]{3,200})@[\w.\[\-]")
_HEADER = re.compile(
    r"(?<![\w-])(Bearer|Basic|token)[ \t]+([A-Za-z0-9._~+/\-]{16,2000}={0,2})", re.IGNORECASE | re.ASCII
)
_WORD = (
    r"(?:api|access|secret|private|auth|signing|encryption|master|account|storage|client|shared|service)[ _.-]?"
    r"(?:access[ _.-]?)?(?:key|secret|token|password)|secret|token"
    r"|passw(?:or)?d|passwd|passphrase|pwd|(?:(?<![^\W_])|(?-i:(?<=[a-z])(?=P)))(?<!boarding[ _-])pass"
    r"|credential|kennwort|passwort"
    r"|contraseña|mot de passe|senha|connection[ _.-]?string"
)
# One of them is in whatever the patterns match; most texts hold none.
_STEMS = ("key", "secret", "token", "pass", "pwd", "credential", "kennwort", "contraseña", "senha", "connection")
_SCHEMES = ("bearer", "basic", "token")
_VALUE = r"[^\s'\"`,;<>(){}\[\]]"
_ASSIGNED = re.compile(
    rf"(?:{_WORD})s?(?:[_-]?(?:id|value|base64))?['\"\]]{{0,2}}[ \t]{{0,4}}(?::?=>?(?!=)|:|\bis:|(\bis\b))[ \t]{{0,4}}"
    # Of a longer value the beginning; it is not given back, so that the time stays linear.
    rf"(?:(['\"`])((?:(?!\2)\S){{6,4096}}+)(?:\2|(?=\S))|({_VALUE}{{6,4096}}+))",
    re.IGNORECASE,
)
_PASSWORD = re.compile(r"(?i)pass|pwd|kennwort|contraseña|senha")
# Of the shell, of PowerShell and of Windows; what stands in braces is no value to begin with.
_VARIABLE = re.compile(r"\$(?:[A-Z_][A-Z0-9_]*|(?:env:)?_*[A-Za-z]+(?:[._-]+[A-Za-z]+)*\d?)|%\w+%")
_NO_SECRET = re.compile(
    r"(?i)(.)\1{4,}|your|example|changeme|change[-_]me|placeholder|redacted|xxx|dummy|sample|<|\.\.\.|\*{3}|^(?:none|null|true|false|undefined"
    r"|string|optional|required|process\.|os\.|env|self\.|config|settings|this\.|request|args|kwargs|str|int|bytes)"
)
_FILLED = re.compile(r"\{[^{}]*\}|[$%]\(")  # a template: something else is put there
_IDENTIFIER = re.compile(r"[A-Za-z]+(?:[._-][A-Za-z]+)*\d?")
_PATH = re.compile(r"(?:https?:|[./~])?[\w.\-]*/[\w./\-]*")
_ENDS = 32  # characters of a long value at either end that may say that it is none: within it words come by chance
_NAME = re.compile(r"(?:[A-Z]?[a-z]+(?:[A-Z][a-z]+)*|[A-Z]*)\d*")  # of a folder
_TOP = re.compile(r"[A-Z]?[a-z]{3,}\d*")
# In a folder with a plain name: the pieces of a drawn key are longer than ten characters, and no hashes.
_BELOW = re.compile(rf"{_NAME.pattern}|(?:[0-9a-f]{{8}}){{4,8}}|\w{{1,10}}")


def secrets(text: str) -> list[Found]:
    """Secrets of known form, private keys, credentials in addresses and headers, and what is called one."""
    found = [*_known(text), *_blocks(text), *_credentials(text), *_headers(text), *_assigned(text)]
    return settled(found, [form.kind for form in FORMS])


def _known(text: str) -> Iterator[Found]:
    for form in FORMS:
        if not any(part in text for part in form.holds):
            continue
        for match in form.pattern.finditer(text):
            if not _placeholder(match[0]) and (form.kind != "JWT" or _token(match[0])):
                yield Found(match.start(), match.end(), form.kind, 0.97)


def _placeholder(written: str) -> bool:
    """Whether the part behind the prefix has too few characters of its own to be one."""
    return len(set(written[-20:])) < 6 or bool(re.search(r"(?i)x{6}|your|example", written))


def _token(written: str) -> bool:
    """Whether a JSON Web Token begins with a header (RFC 7515)."""
    head = written.partition(".")[0]
    try:
        return b'"alg"' in base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))
    except (binascii.Error, ValueError):
        return False


def _blocks(text: str) -> Iterator[Found]:
    """Private keys in PEM and PGP armour, whole or cut off."""
    for match in _BLOCK.finditer(text) if _BEGIN in text else ():
        dashes = text.find("-----", match.end(), match.end() + _LONGEST_BLOCK)
        if dashes >= 0 and text.startswith(_END, dashes):
            last = text.find("-----", dashes + len(_END), dashes + 100)
            stop = last + 5 if last >= 0 else dashes
        else:
            limit = dashes if dashes >= 0 else match.end() + _LONGEST_BLOCK
            cut = _ARMOUR.match(text, match.end(), limit)
            stop = cut.end() if cut else match.end()
        if stop - match.end() > 40:
            yield Found(match.start(), stop, "PRIVATE_KEY", 0.99)


def _credentials(text: str) -> Iterator[Found]:
    for match in _CREDENTIALS.finditer(text) if "://" in text else ():
        named = match[1].lower() in ("password", "pass", "pw", "pwd", "secret") or _VARIABLE.fullmatch(match[1])
        if not named and not _stands_in(match[1]):
            yield Found(match.start(1), match.end(1), "PASSWORD", 0.9)


def _headers(text: str) -> Iterator[Found]:
    for match in _HEADER.finditer(text) if _holds(text, _SCHEMES) else ():
        if _random(match[2]) and not _stands_in(match[2]):
            yield Found(match.start(2), match.end(2), "AUTHORIZATION", 0.85)


def _assigned(text: str) -> Iterator[Found]:
    """What stands behind a word for a secret, if it looks like one: neither a name in code nor a place-holder."""
    for match in _ASSIGNED.finditer(text) if _holds(text, _STEMS) else ():
        group = 3 if match[2] else 4
        value = match[group].rstrip(".!?:")
        called = text.startswith(("(", "["), match.end())  # code: a call, an item
        if called or len(value) < 6 or _stands_in(value) or _named(value) or _FILLED.search(value):
            continue
        mixed = re.search(r"\d|[^\w.\-]", value) and re.search(r"[^\W\d_]", value)
        if _random(value) or (mixed and not _described(match, value)):
            start = match.start(group)
            yield Found(start, start + len(value), "SECRET", 0.9 if _random(value) else 0.7)


def _stands_in(value: str) -> bool:
    """Whether it is a place-holder or the beginning of an expression."""
    if len(value) > 2 * _ENDS:
        value = f"{value[:_ENDS]}\n{value[-_ENDS:]}"
    return bool(_NO_SECRET.search(value))


def _named(value: str) -> bool:
    """Whether it is a name or a path; a drawn key may hold slashes, and seldom words between them."""
    if _IDENTIFIER.fullmatch(value) or _VARIABLE.fullmatch(value):
        return True
    if not _PATH.fullmatch(value):
        return False
    if not _random(value) or not value.replace("/", "").isalnum():
        return True
    parts = value.split("/")
    rooted = value.startswith("/") and len(parts[1]) > 2
    if all(map(_NAME.fullmatch, parts[1:2] if rooted else parts)):
        return True
    return bool(_TOP.fullmatch(parts[0])) and all(map(_BELOW.fullmatch, parts[1:]))


def _described(match: re.Match[str], value: str) -> bool:
    """Whether prose may say what a secret is like, and not what it is: "each token is 512-dimensional"."""
    if match[1] is None or match[2] or re.search(r"[^\w.\-]", value):
        return False
    return "-" in value or not _PASSWORD.search(match[0][: match.start(1) - match.start()])


def _holds(text: str, words: tuple[str, ...]) -> bool:
    lower = text.lower()
    return any(word in lower for word in words)


def _random(value: str) -> bool:
    """Whether the characters are as mixed as drawn ones: 3 bits each, with digits among the letters."""
    mixed = bool(re.search(r"\d", value)) and bool(re.search(r"[A-Za-z]", value))
    return len(value) >= 16 and mixed and entropy(value) >= 3.0


def entropy(value: str) -> float:
    """Of the characters, in bits each.

    >>> entropy("aabb")
    1.0
    """
    counts = Counter(value).values()
    return -sum(count / len(value) * log2(count / len(value)) for count in counts)


def scorer() -> TextScorer:
    """Of `prompt_secrets` and `response_secrets`."""
    return TextScorer(secrets, RULES, (PROMPT, RESPONSE))
