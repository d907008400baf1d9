"""What a text claims to hold: fenced blocks, or all of it."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from services.quality.quality.parsers import not_json

# Lazily to the next line that closes: a fence that is never closed runs to the end.
_FENCE = re.compile(r"^([ \t]{0,3})(```+|~~~+)[ \t]*([\w+#.-]*)[^\n]*$", re.MULTILINE)
_KINDS = {
    "json": "json", "xml": "xml", "svg": "xml", "python": "python", "py": "python", "python3": "python",
}  # fmt: skip
_XML = re.compile(r"<(?:\?xml\s|([A-Za-z_][\w:.-]*)(?:\s[^<>]*)?/?>)")
# Elements of HTML, which need not be XML; names that XML documents have for themselves are left out.
_HTML = re.compile(
    r"html|head|body|div|span|p|[uod]l|li|table|t[rdh]|h[1-6r]|br|img|pre|section|strong|em", re.IGNORECASE
)
_DEFINITION = r"(?:(?:async )?def \w+\(|class \w+[:(])"
_PYTHON = re.compile(rf"(?:import \w|from [\w.]+ import |(?:@[\w.]+(?:\([^@]*\))?\s+)*{_DEFINITION}|#!.*python)")
_JSON = re.compile(r"(?:\{\s*(?:[\"'}]|\w+\s*:)|\[\s*(?:[\[{\"'\]]|-?\d|true|false|null))")
# A time, a source or a remark in brackets, and prose behind it.
_REMARK = re.compile(r"\[[^\[\]{}\"']*\]\s*[^\s,\]}]")
# So no prose begins: what does may have been cut off.
_CUT_OFF = re.compile(
    r"\{\s*[\"']|(?:\[\s*)+(?:\{\s*[\"']|[\"']|(?:-?\d[\d.]*|true|false|null)\s*,)|<\?xml\s|<[^<>]*\sxmlns[:=]"
)
_SHAPES = (("json", _JSON, ("}", "]")), ("xml", _XML, (">",)), ("python", _PYTHON, ("",)))  # each with its ends


class Reading(NamedTuple):
    """Characters `start` to `end` that a consumer could take for the answer, and the format they claim ("" unknown)."""

    start: int
    end: int
    kind: str
    indent: int = 0  # of the fence, which is no part of the lines in it

    def inner(self, text: str) -> str:
        """What the consumer is given of `text`."""
        return _indents(self.indent).sub("", text[self.start : self.end])

    def place(self, text: str, at: int) -> int:
        """Where character `at` of `inner` stands in `text`."""
        removed = 0
        for match in _indents(self.indent).finditer(text[self.start : self.end]):
            if match.start() - removed > at:
                break
            removed += len(match[0])
        return self.start + at + removed


def _indents(most: int) -> re.Pattern[str]:
    return re.compile(rf"^[ \t]{{0,{most}}}", re.MULTILINE)


def fenced(text: str) -> list[Reading]:
    """The contents of fenced code blocks (CommonMark), in order."""
    found: list[Reading] = []
    opened: re.Match[str] | None = None
    for match in _FENCE.finditer(text):
        if opened is None:
            opened = match
        elif match[2].startswith(opened[2]) and not match[3]:
            found.append(_reading(text, opened, match.start() - 1))
            opened = None
    if opened is not None:
        found.append(_reading(text, opened, len(text)))
    return found


def _reading(text: str, opened: re.Match[str], end: int) -> Reading:
    start, tag = min(opened.end() + 1, len(text)), opened[3].lower()
    end = max(start, end)
    return Reading(start, end, _KINDS.get(tag, tag) or claimed(text, start, end), len(opened[1]))


def claimed(text: str, start: int = 0, end: int | None = None) -> str:
    """The format that characters `start` to `end` look like from their beginning and their end, or "".

    XML has one root, which ends where the text does, or says that it is XML. Several values of JSON, one a line, and
    HTML claim nothing.

    >>> claimed('{"a": 1'), claimed("<a>Hi</a>"), claimed("import os"), claimed("[1] He said"), claimed("<p>Hi<br></p>")
    ('json', 'xml', 'python', '', '')
    """
    stop = len(text) if end is None else end
    head = text[start : min(stop, start + 400)].strip()
    for kind, shape, ends in () if _REMARK.match(head) else _SHAPES:
        if shape.match(head) and (_CUT_OFF.match(head) or text[start:stop].rstrip().endswith(ends)):
            return kind if _is_one(kind, text[start:stop].strip()) else ""
    return ""


def _is_one(kind: str, text: str) -> bool:
    """Whether a text that looks like `kind` is meant as one value of it."""
    if kind == "json":
        first, _, rest = text.partition("\n")
        return not rest.lstrip().startswith(("{", "[")) or not_json(None, first) is not None
    root = _XML.match(text) if kind == "xml" and not _CUT_OFF.match(text) else None
    return root is None or _is_root(root[1], text)


def _is_root(name: str, text: str) -> bool:
    """Whether the first element of `text`, of this name, is closed at its end and no sooner."""
    if _HTML.fullmatch(name):
        return False
    depth, end = 0, 0
    for match in re.finditer(rf"<(/?){re.escape(name)}(?:\s[^<>]*?)?(/?)>", text):
        if end and not depth:
            return False
        depth += 0 if match[2] else -1 if match[1] else 1
        end = match.end()
    return not depth and end == len(text)


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
