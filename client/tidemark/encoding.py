"""A call as it was handed over, turned into the message `call.v1` or `feedback.v1` on the wire."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tidemark.coercion import ATTRIBUTES, CALL, FEEDBACK, LONGEST_NAME, Unusable, identifier, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tidemark.intake import Handed

    Rewrite = Callable[[str], str | None]

TEXTS = ("prompt", "system_prompt", "response", "reference", "text")
# Lists of objects, and which of their values are texts, or lists of such objects again.
NESTED = {
    "messages": ("content",),
    "context": ("text",),
    "choices": ("text", "tool_calls"),
    "tool_calls": ("arguments", "result"),
}
OPEN = ("parameters", "groups", "tags", "attributes", "expected_format")
UNCUT = ("error", *OPEN)
_WIRE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
# Shown to masks beyond what may be left of a text: more than the web tokens that servers take in a header (8 to 16 KB),
# the longest secrets that cannot be told by their beginning alone.
MARGIN = 16_384
TAIL = 16  # characters by which the end of what was shown is told
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


def mask(event: dict[str, Any], masker: Rewrite, *, most: int, longest: int | None = None) -> None:
    """Put every text of the event through `masker` and, where `longest` is given, cut what `TEXTS` and `NESTED` name.

    A text that `masker` answers None for is dropped. Tags of a call say where that happened (`tidemark.masking_failed`)
    and what was cut (`tidemark.truncated`). Raises `Unusable` where the cut texts have more than `most` characters,
    and masks none beyond them: a regular expression holds up every thread of the application.
    """
    cut, failed = [], []
    for field in (*TEXTS, *NESTED, *UNCUT):
        if field in event:
            limited = Limited(masker, None if field in UNCUT else longest, most)
            sound = _rewrite(event, field, limited)
            most = limited.left
            if most < 0:
                raise Unusable(field, "makes the texts too long", "shorten it, or raise largest_call_bytes")
            cut += [field] if limited.cut else []
            failed += [] if sound else [field]
    if event["type"] == "call.v1":
        said = {"masking_failed": ",".join(sorted(failed)), "truncated": ",".join(cut)}
        if given := {f"tidemark.{name}": fields for name, fields in said.items() if fields}:
            event.setdefault("tags", {}).update(given)


class Limited:
    """A mask that is shown no more of a text than may be left of it, and `MARGIN`; `cut` says whether it cut one.

    `left` is how many of `most` characters other texts may still have; below 0 nothing is masked.

    So the time that a text takes is bounded, and a secret across the border is seen as a whole. One across the end of
    what is shown is not, so as much as `MARGIN` goes with it, however much shorter the masked text is.
    """

    def __init__(self, masker: Rewrite, longest: int | None, most: int) -> None:
        self._masker, self._longest = masker, longest
        self.cut, self.left = False, most

    def __call__(self, text: str) -> str | None:
        """The masked text, at most `longest` characters of it; None where the mask answers so."""
        self.left -= len(text[: self._longest])
        if self.left < 0:
            return None
        if self._longest is None:
            return self._masker(text)
        shown = text[: self._longest + MARGIN]
        masked = self._masker(shown)
        if masked is None:
            return None
        whole = len(shown) == len(text)
        replaced = not masked.casefold().endswith(shown[-TAIL:].casefold())  # by the mask: nothing is left halved
        end = self._longest if whole or replaced else max(0, min(self._longest, len(masked) - MARGIN))
        self.cut |= len(masked) > end or not whole
        return masked[:end]


def _rewrite(event: dict[str, Any], field: str, rewrite: Rewrite) -> bool:
    """Rewrite every text of a field in place; False where `rewrite` answered None to one."""
    if field in TEXTS:
        text = rewrite(event[field])
        if text is None:
            del event[field]
        else:
            event[field] = text
        return text is not None
    if field in OPEN:
        event[field], sound = _deep(event[field], rewrite)
        return sound
    if field == "error":
        sound = _parts([event[field]], ("kind", "message"), rewrite)
        event[field]["kind"] = event[field]["kind"][:LONGEST_NAME] or "error"  # a mask may lengthen or empty it
        return sound
    return _parts(event[field], NESTED[field], rewrite)


def _parts(parts: list[dict[str, Any]], keys: tuple[str, ...], rewrite: Rewrite) -> bool:
    kept = [
        _parts(part[key], NESTED[key], rewrite) if key in NESTED else _rewritten(part, key, rewrite)
        for part in parts
        for key in keys
        if key in part
    ]
    return all(kept)  # of a list: the first that fails must not end the others


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
