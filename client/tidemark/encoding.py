"""A call as it was handed over, turned into the message `call.v1` or `feedback.v1` on the wire."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tidemark.coercion import ATTRIBUTES, CALL, FEEDBACK, Unusable, identifier, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tidemark.intake import Handed

    Rewrite = Callable[[str], str | None]

TEXTS = ("prompt", "system_prompt", "response", "reference", "text")
# Lists of objects, and which of their values are texts.
NESTED = {
    "messages": ("content",),
    "context": ("text",),
    "choices": ("text",),
    "tool_calls": ("arguments", "result"),
}
OPEN = ("parameters", "groups", "tags", "attributes", "expected_format")
_WIRE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
UNMASKED = "[text dropped: masking failed]"


def call(handed: Handed, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The call with every field in the form of the wire; what is unknown is absent.

    Raises `Unusable`, naming the field. A field that no call has becomes an attribute.
    """
    call_id, handed_ns, serving, given, _ = handed
    event: dict[str, Any] = {"type": "call.v1", "call_id": call_id}
    known = {field: value for field, value in given.items() if value is not None and field != "call_id"}
    fields = {**defaults, **({"version": serving} if serving else {}), **known}
    attributes = ATTRIBUTES(fields.pop("attributes", {}), "attributes")
    for field, value in fields.items():
        if field in CALL:
            event[field] = CALL[field](value, field)
        else:
            attributes[field] = value
    if attributes:
        event["attributes"] = ATTRIBUTES(attributes, "attributes")
    event["call_id"] = identifier(call_id, "call_id")
    if "called_at" not in event:
        elapsed = event.get("duration_seconds", 0.0)
        event["called_at"] = moment(handed_ns / 1e9 - max(0.0, elapsed), "called_at")
    return event


def feedback(handed: Handed) -> dict[str, Any]:
    """One opinion on a call, in the form of the wire. Raises `Unusable`."""
    feedback_id, handed_ns, _, given, _ = handed
    event = {"type": "feedback.v1", "feedback_id": feedback_id}
    for field, value in given.items():
        if value is not None:
            if field not in FEEDBACK:
                raise Unusable(field, "is no field of feedback", f"give some of {', '.join(FEEDBACK)}")
            event[field] = FEEDBACK[field](value, field)
    event.setdefault("given_at", moment(handed_ns / 1e9, "given_at"))
    return event


def mask(event: dict[str, Any], masker: Rewrite) -> None:
    """Put every text of the event through `masker`; one that it answers None for is dropped, and a tag says which."""
    failed = _rewrite(event, masker)
    if failed and event["type"] == "call.v1":
        event.setdefault("tags", {})["tidemark.masking_failed"] = ",".join(sorted(set(failed)))


def shorten(event: dict[str, Any], longest: int) -> bool:
    """Cut texts to `longest` characters and name their fields in the tag `tidemark.truncated`."""
    cut: list[str] = []

    def shorter(text: str) -> str:
        if len(text) > longest:
            cut.append(text)
            return text[:longest]
        return text

    fields = [field for field in (*TEXTS, *NESTED) if field in event and _cut_in(event, field, shorter, cut)]
    if fields:
        event.setdefault("tags", {})["tidemark.truncated"] = ",".join(fields)
    return bool(fields)


def _cut_in(event: dict[str, Any], field: str, shorter: Rewrite, cut: list[str]) -> bool:
    before = len(cut)
    part = {field: event[field]}
    _rewrite(part, shorter)
    event[field] = part[field]
    return len(cut) > before


def _rewrite(event: dict[str, Any], rewrite: Rewrite) -> list[str]:
    """Rewrite every text in place; the names of the fields where `rewrite` answered None."""
    failed = []
    for field in [field for field in TEXTS if field in event]:
        event[field] = rewrite(event[field])
        if event[field] is None:
            del event[field]
            failed.append(field)
    parts = [(field, part, key) for field, keys in NESTED.items() for part in event.get(field, ()) for key in keys]
    if "error" in event:
        parts.append(("error", event["error"], "message"))
    for field, part, key in parts:
        if key in part and not _rewritten(part, key, rewrite):
            failed.append(field)
    for field in [field for field in OPEN if field in event]:
        event[field], sound = _deep(event[field], rewrite)
        if not sound:
            failed.append(field)
    return failed


def _rewritten(part: dict[str, Any], key: str, rewrite: Rewrite) -> bool:
    text = rewrite(part[key])
    part[key] = UNMASKED if text is None else text
    return text is not None


def _deep(value: Any, rewrite: Rewrite) -> tuple[Any, bool]:
    """The value with every text rewritten, and whether all of them could be."""
    if isinstance(value, str):
        text = rewrite(value)
        return (UNMASKED, False) if text is None else (text, True)
    if isinstance(value, dict):
        inner = {key: _deep(part, rewrite) for key, part in value.items()}
        return {key: part for key, (part, _) in inner.items()}, all(sound for _, sound in inner.values())
    if isinstance(value, list):
        parts = [_deep(part, rewrite) for part in value]
        return [part for part, _ in parts], all(sound for _, sound in parts)
    return value, True


def wire(event: Mapping[str, Any]) -> bytes:
    """The event as JSON in UTF-8; half a surrogate pair, which no UTF-8 can carry, becomes a question mark."""
    return _WIRE.encode(event).encode("utf-8", "replace")
