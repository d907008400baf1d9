"""What kind of failure a call ended in, whatever its provider and library call it."""

import re
from typing import Literal

from schemas.messages import CallError

ErrorClass = Literal["timeout", "rate_limit", "content_filter", "network", "server", "client", "other"]
_BY_STATUS: dict[int | None, ErrorClass] = {408: "timeout", 504: "timeout", 524: "timeout", 429: "rate_limit"}
_JOINTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")


def _any_of(phrases: str) -> re.Pattern[str]:
    """Phrases in words, or run together as in `ratelimit`."""
    return re.compile(rf"\b(?:{phrases})|{phrases.replace(' ', '')}")


# In this order: "connection timed out" is a timeout.
_BY_WORD: tuple[tuple[ErrorClass, re.Pattern[str]], ...] = (
    ("content_filter", _any_of("content filter|content policy|content moderation|safety|responsible ai")),
    ("timeout", _any_of(r"time outs?\b|timeout|timed out|deadline")),
    ("rate_limit", _any_of(r"rate limit|too many requests|throttl|quotas?\b|resource exhausted")),
    (
        "network",
        _any_of(
            r"connection|connect(?: error)?$|network|socket|\bdns|gaierror|\bssl|\btls|broken pipe|unreachable"
            "|read error"
        ),
    ),
    ("server", _any_of("overloaded|unavailable|internal server|server error|bad gateway")),
    (
        "client",
        _any_of(
            "bad request|invalid|authentication|unauthori|permission|forbidden|not found|unprocessable|conflict"
            "|context length|too large"
        ),
    ),
)


def error_class(error: CallError) -> ErrorClass:
    """The class: by what the kind says, else by the HTTP status, else by what the message begins with.

    Words go first because providers answer 400 where a filter or a quota is meant; where they say no more than whose
    fault it was, a status that says more goes before them: a library may call every 504 an InternalServerError.

    >>> error_class(CallError(kind="openai.RateLimitError")), error_class(CallError(kind="429"))
    ('rate_limit', 'rate_limit')
    >>> error_class(CallError(kind="error", status=503)), error_class(CallError(kind="ValueError"))
    ('server', 'other')
    >>> error_class(CallError(kind="openai.InternalServerError", status=504))
    'timeout'
    """
    kind = _in_words(error.kind)
    status = error.status if error.status is not None else int(kind) if re.fullmatch(r"[45]\d\d", kind) else None
    named = _named(kind)
    if named in {"server", "client"}:
        return _BY_STATUS.get(status, named)
    return named or _of_status(status) or _named(_in_words(error.message[:200])) or "other"


def _in_words(text: str) -> str:
    """Words in lower case with one blank between them, of a sentence or a name.

    >>> _in_words("openai.APIConnectionError"), _in_words("Request timed out.")
    ('openai api connection error', 'request timed out')
    """
    return _JOINTS.sub(" ", text).strip().lower()


def _of_status(status: int | None) -> ErrorClass | None:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status is None or not 400 <= status < 600:
        return None
    return "server" if status >= 500 else "client"


def _named(words: str) -> ErrorClass | None:
    return next((found for found, phrases in _BY_WORD if phrases.search(words)), None)
