"""What a text claims to hold: fenced blocks, or all of it."""

import re
from collections.abc import Iterator
from typing import NamedTuple

# Lazily to the next line that closes: a fence that is never closed runs to the end.
_FENCE = re.compile(r"^[ \t]{0,3}(```+|~~~+)[ \t]*([\w+#.-]*)[^\n]*$", re.MULTILINE)
_KINDS = {
    "json": "json", "jsonc": "json", "json5": "json", "xml": "xml", "svg": "xml", "python": "python", "py": "python",
    "python3": "python",
}  # fmt: skip
_XML = re.compile(r"<(?:\?xml\s|[A-Za-z_][\w:.-]*(?:\s[^<>]*)?/?>)")
_DEFINITION = r"(?:(?:async )?def \w+\(|class \w+[:(])"
_PYTHON = re.compile(rf"(?:import \w|from [\w.]+ import |(?:@[\w.]+(?:\([^@]*\))?\s+)*{_DEFINITION}|#!.*python)")
_JSON = re.compile(r"(?:\{\s*(?:[\"'}]|\w+\s*:)|\[\s*(?:[\[{\"'\]]|-?\d|true|false|null))")
# A time, a source or a remark in brackets, and prose behind it.
_REMARK = re.compile(r"\[[^\[\]{}\"']*\]\s*[^\s,\]}]")
# So no prose begins: what does may have been cut off.
_CUT_OFF = re.compile(r"\{\s*[\"']|(?:\[\s*)+(?:\{\s*[\"']|[\"']|(?:-?\d[\d.]*|true|false|null)\s*,)|<\?xml\s")
_SHAPES = (("json", _JSON, ("}", "]")), ("xml", _XML, (">",)), ("python", _PYTHON, ("",)))  # each with its ends


class Reading(NamedTuple):
    """Characters `start` to `end` that a consumer could take for the answer, and the format they claim ("" unknown)."""

    start: int
    end: int
    kind: str


def fenced(text: str) -> list[Reading]:
    """The contents of fenced code blocks (CommonMark), in order."""
    found: list[Reading] = []
    opened: tuple[str, str, int] | None = None
    for match in _FENCE.finditer(text):
        mark, tag = match[1], match[2].lower()
        if opened is None:
            opened = mark, tag, min(match.end() + 1, len(text))
        elif mark[0] == opened[0][0] and len(mark) >= len(opened[0]) and not tag:
            found.append(_reading(text, opened[2], max(match.start() - 1, opened[2]), opened[1]))
            opened = None
    if opened is not None:
        found.append(_reading(text, opened[2], len(text), opened[1]))
    return found


def _reading(text: str, start: int, end: int, tag: str) -> Reading:
    return Reading(start, end, _KINDS.get(tag, tag) or claimed(text, start, end))


def claimed(text: str, start: int = 0, end: int | None = None) -> str:
    """The format that characters `start` to `end` look like from their beginning and their end, or "".

    >>> claimed('{"a": 1'), claimed("<p>Hi</p>"), claimed("import os"), claimed("[1] He said"), claimed("<p>, he said")
    ('json', 'xml', 'python', '', '')
    """
    stop = len(text) if end is None else end
    head = text[start : min(stop, start + 400)].strip()
    for kind, shape, ends in () if _REMARK.match(head) else _SHAPES:
        if shape.match(head) and (_CUT_OFF.match(head) or text[start:stop].rstrip().endswith(ends)):
            return kind
    return ""


def claims(text: str) -> list[Reading]:
    """What a response says it is where nobody said what it should be: its blocks of known formats, else all of it."""
    blocks = [block for block in fenced(text) if block.kind in ("json", "xml", "python")]
    if blocks:
        return blocks
    kind = "" if fenced(text) else claimed(text)
    return [Reading(0, len(text), kind)] if kind else []


def embedded(text: str) -> Iterator[Reading]:
    """Where a JSON or XML value may stand in prose: fenced blocks, then the outermost brackets."""
    yield from fenced(text)
    for opening, closing, kind in (("{", "}", "json"), ("[", "]", "json"), ("<", ">", "xml")):
        start, end = text.find(opening), text.rfind(closing) + 1
        if 0 <= start < end and (start, end) != (0, len(text)):
            yield Reading(start, end, kind)
