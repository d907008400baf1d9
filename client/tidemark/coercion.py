"""The forms that a field may be given in, and the one that goes on the wire."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sized
from datetime import UTC, datetime
from math import isfinite
from typing import Any, TypeVar
from uuid import UUID

# What the gateway takes. Checked here too, so that what the spool promised is not refused later.
LONGEST_NAME = 200
MOST_ENTRIES = 1000
LARGEST_INTEGER = 2**53
SEPARATORS = re.compile(r"[|\x00-\x1f]")
DEEPEST = 20


class Unusable(ValueError):
    """What no server would take: the field, what is wrong with it, and what to do."""

    def __init__(self, field: str, message: str, remedy: str) -> None:
        super().__init__(f"{field} {message}; {remedy}")
        self.field, self.message, self.remedy = field, message, remedy


def text(value: Any, field: str) -> str:
    """A text as it is; numbers as they are written."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int | float | UUID):
        return str(value)
    raise Unusable(field, f"is {type(value).__name__}, not a text", "give a str")


def name(value: Any, field: str) -> str:
    """A text of 1 to 200 characters."""
    written = text(value, field)
    if not 1 <= len(written) <= LONGEST_NAME:
        raise Unusable(field, f"has {len(written)} characters", f"give 1 to {LONGEST_NAME}")
    return written


def label(value: Any, field: str) -> str:
    """A name that keys are made of: without `|` and control characters."""
    written = name(value, field)
    if SEPARATORS.search(written):
        raise Unusable(field, "contains | or a control character", "use another name")
    return written


def place(value: Any, field: str) -> str:
    """A label that paths are made of too: without `/`, and neither `.` nor `..`."""
    written = label(value, field)
    if "/" in written or written in {".", ".."}:
        raise Unusable(field, "contains / or is . or ..", "use another name")
    return written


def short(value: Any, field: str) -> str:
    """A text of at most 200 characters."""
    written = text(value, field)
    if len(written) > LONGEST_NAME:
        raise Unusable(field, f"has {len(written)} characters", f"give at most {LONGEST_NAME}")
    return written


def identifier(value: Any, field: str) -> str:
    """A UUID in its usual form."""
    try:
        return str(UUID(text(value, field)))
    except ValueError as error:
        raise Unusable(field, "is no UUID", "give one, or leave the field out") from error


def number(value: Any, field: str) -> float:
    """A finite number."""
    try:
        converted = float(value)
    except (TypeError, ValueError) as error:
        raise Unusable(field, f"is {type(value).__name__}, not a number", "give a float or an int") from error
    if not isfinite(converted):
        raise Unusable(field, "is not finite", "leave out what is unknown")
    return converted


def whole(value: Any, field: str) -> int:
    """A whole number."""
    if isinstance(value, float) and not value.is_integer():
        raise Unusable(field, "is no whole number", "give an int")
    if not 0 <= number(value, field) <= LARGEST_INTEGER:
        raise Unusable(field, f"is {value}", f"give a whole number from 0 to {LARGEST_INTEGER}")
    return int(value)


def numbers(value: Any, field: str) -> list[float]:
    """Finite numbers."""
    return [number(part, field) for part in _sequence(value, field)]


def moment(value: Any, field: str) -> str:
    """A time as RFC 3339 in UTC; numbers are seconds since the epoch.

    >>> moment(0.5, "called_at")
    '1970-01-01T00:00:00.500000Z'
    """
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        elif isinstance(value, int | float):
            value = datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Unusable(field, "is no time", "give a datetime, or seconds since the epoch") from error
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise Unusable(field, "is no time with a time zone", "give a datetime with tzinfo, or seconds since the epoch")
    return value.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def jsonable(value: Any, depth: int = 0) -> Any:
    """The value as JSON can carry it: what is not finite is null, what has no form in JSON is its text.

    Nothing is refused; what lies deeper than 20 levels is its text.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if isfinite(value) else None
    if depth < DEEPEST and isinstance(value, Mapping):
        return {str(key): jsonable(inner, depth + 1) for key, inner in value.items()}
    if depth < DEEPEST and isinstance(value, list | tuple | set | frozenset):
        return [jsonable(inner, depth + 1) for inner in value]
    return value.isoformat() if isinstance(value, datetime) else str(value)


def mapping(value: Any, field: str) -> dict[str, Any]:
    """Names and JSON values."""
    return {str(key): jsonable(inner) for key, inner in _mapping(value, field).items()}


def labels(value: Any, field: str) -> dict[str, str]:
    """Names and texts."""
    return {str(key): str(inner) for key, inner in _mapping(value, field).items() if inner is not None}


def error(value: Any, field: str) -> dict[str, Any]:
    """An exception, a kind (a text of one word), a message, or kind, message and status."""
    if isinstance(value, BaseException):
        return {"kind": type(value).__name__[:LONGEST_NAME], "message": str(value)}
    if isinstance(value, str):
        one_word = len(value.split()) == 1 and len(value) <= LONGEST_NAME
        return {"kind": value} if one_word else {"kind": "error", "message": value}
    return _object(value, field, {"kind": name, "message": text, "status": whole}, ("kind",))


def content(value: Any, field: str) -> str:
    """What a turn says: a text, or the texts among the parts that some providers make of it."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return "".join(str(part.get("text") or "") for part in value if isinstance(part, Mapping))
    return text(value, field)


def objects(parts: Forms, *, needed: tuple[str, ...], short: str = "") -> Form:
    """A list of objects with these parts; where `short` is given, a bare text stands for an object with only that."""

    def form(value: Any, field: str) -> list[dict[str, Any]]:
        given = [value] if isinstance(value, str | Mapping) else _few(list(_sequence(value, field)), field)
        return [
            {short: part} if short and isinstance(part, str) else _object(part, field, parts, needed) for part in given
        ]

    return form


def _one(parts: Forms, *, needed: tuple[str, ...] = ()) -> Form:
    return lambda value, field: _object(value, field, parts, needed)


def _object(value: Any, field: str, parts: Forms, needed: tuple[str, ...]) -> dict[str, Any]:
    """The parts that are known and given; others are left out, a needed one that is missing refuses the field."""
    given = _mapping(value, field)
    missing = [part for part in needed if part not in given]
    if missing:
        raise Unusable(field, f"lacks {missing[0]}", f"give {', '.join(parts)}")
    return {
        part: form(given[part], f"{field}.{part}")
        for part, form in parts.items()
        if part in given and (given[part] is not None or part in needed)
    }


def _mapping(value: Any, field: str) -> Mapping[Any, Any]:
    """The value as a mapping; objects of SDKs are asked for theirs."""
    if not isinstance(value, Mapping) and hasattr(value, "model_dump"):
        value = value.model_dump()
    if not isinstance(value, Mapping):
        raise Unusable(field, f"is {type(value).__name__}, not names and values", "give a dict")
    if any(len(str(key)) > LONGEST_NAME for key in value):
        raise Unusable(field, f"has a name longer than {LONGEST_NAME} characters", "shorten it")
    return _few(value, field)


def _sequence(value: Any, field: str) -> Iterable[Any]:
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise Unusable(field, f"is {type(value).__name__}, not a list", "give a list")
    return value


def _few(entries: E, field: str) -> E:
    if len(entries) > MOST_ENTRIES:
        raise Unusable(field, f"has {len(entries)} entries", f"give at most {MOST_ENTRIES}")
    return entries


def _one_of(choices: tuple[str, ...]) -> Form:
    def form(value: Any, field: str) -> str:
        if value not in choices:
            raise Unusable(field, f"is {value!r:.40}", f"give one of {', '.join(choices)}")
        return str(value)

    return form


E = TypeVar("E", bound=Sized)
Form = Callable[[Any, str], Any]
Forms = Mapping[str, Form]

KINDS = ("thumbs", "stars", "acceptance", "edit", "comment", "reference")
FORMATS = ("json", "json_schema", "regex", "choice", "xml", "python")
ATTRIBUTES: Form = mapping
TOOL_CALL: Forms = {"name": text, "arguments": text, "tool_call_id": text, "result": text}
_TOOL_CALLS = objects(TOOL_CALL, needed=("name",))

CALL: Forms = {
    **dict.fromkeys(("app", "environment"), place),
    "version": label,
    **dict.fromkeys(("prompt", "system_prompt", "response", "reference"), text),
    **dict.fromkeys(("trace_id", "span_id", "parent_span_id", "session_id", "user_id", "experiment", "arm"), short),
    **dict.fromkeys(("provider", "requested_model", "answering_model", "system_fingerprint", "finish_reason"), short),
    "payload_reference": text,
    **dict.fromkeys(("duration_seconds", "queue_seconds", "time_to_first_token_seconds", "cost_usd"), number),
    **dict.fromkeys(("log_probabilities", "inter_token_seconds"), numbers),
    **dict.fromkeys(("groups", "tags"), labels),
    "called_at": moment,
    "parameters": mapping,
    "messages": objects({"role": name, "content": content, "name": text}, needed=("role", "content")),
    "context": objects(
        {"text": text, "document_id": text, "source": text, "similarity": number}, needed=("text",), short="text"
    ),
    "choices": objects(
        {"text": text, "finish_reason": text, "log_probabilities": numbers, "tool_calls": _TOOL_CALLS},
        needed=("text",),
        short="text",
    ),
    "tool_calls": _TOOL_CALLS,
    "tokens": _one(dict.fromkeys(("input", "output", "cached", "reasoning"), whole)),
    "error": error,
    "expected_format": _one(
        {"kind": _one_of(FORMATS), "definition": lambda value, _: jsonable(value)}, needed=("kind",)
    ),
    "synthetic": lambda value, _: bool(value),
}
FEEDBACK: Forms = {
    "call_id": identifier,
    "kind": _one_of(KINDS),
    "given_at": moment,
    "value": number,
    "text": text,
    "user_id": text,
    "source": name,
}
