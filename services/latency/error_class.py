"""What kind of failure a call ended in, whatever its provider and library call it."""

import re
from typing import Literal

from schemas.messages import CallError

ErrorClass = Literal["timeout", "rate_limit", "content_filter", "network", "server", "client", "other"]
_BY_STATUS: dict[int, ErrorClass] = {408: "timeout", 504: "timeout", 524: "timeout", 429: "rate_limit"}
# In this order: "connection timed out" is a timeout.
_BY_WORD: tuple[tuple[ErrorClass, re.Pattern[str]], ...] = (
    ("content_filter", re.compile("contentfilter|contentpolicy|contentmoderation|safety|responsibleai")),
    ("timeout", re.compile("timeout|timedout|deadline")),
    ("rate_limit", re.compile("ratelimit|toomanyrequests|throttl|quota|resourceexhausted")),
    (
        "network",
        re.compile(
            "connection|connect(?:error)?$|network|socket|dns|gaierror|ssl|tls|brokenpipe|unreachable|readerror"
        ),
    ),
    ("server", re.compile("overloaded|unavailable|internalserver|servererror|badgateway")),
    (
        "client",
        re.compile(
            "badrequest|invalid|authentication|unauthori|permission|forbidden|notfound|unprocessable|conflict"
            "|contextlength|toolarge"
        ),
    ),
)


def error_class(error: CallError) -> ErrorClass:
    """The class: by what the kind says, else by the HTTP status, else by what the message begins with.

    Words go first because providers answer 400 where a filter or a quota is meant.

    >>> error_class(CallError(kind="openai.RateLimitError")), error_class(CallError(kind="429"))
    ('rate_limit', 'rate_limit')
    >>> error_class(CallError(kind="error", status=503)), error_class(CallError(kind="ValueError"))
    ('server', 'other')
    """
    kind = re.sub(r"[^a-z0-9]", "", error.kind.lower())
    status = error.status if error.status is not None else int(kind) if re.fullmatch(r"[45]\d\d", kind) else None
    return (
        _named(kind) or _of_status(status) or _named(re.sub(r"[^a-z0-9]", "", error.message[:200].lower())) or "other"
    )


def _of_status(status: int | None) -> ErrorClass | None:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status is None or not 400 <= status < 600:
        return None
    return "server" if status >= 500 else "client"


def _named(text: str) -> ErrorClass | None:
    return next((found for found, words in _BY_WORD if words.search(text)), None)
