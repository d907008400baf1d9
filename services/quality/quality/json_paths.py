"""Where in a JSON text the value of a path stands."""

import json
import re
from collections.abc import Sequence

Path = Sequence[str | int]
_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str)  # numbers are skipped, of however many digits


def pointer(path: Path) -> str:
    """The JSON Pointer (RFC 6901) of a path; `/` for the whole, where the RFC has an empty text.

    >>> pointer(["users", 0, "a/b"])
    '/users/0/a~1b'
    """
    return "/" + "/".join(str(each).replace("~", "~0").replace("/", "~1") for each in path)


def span_of(text: str, path: Path) -> tuple[int, int]:
    """Characters of the value at `path` of a valid JSON `text`; what stands beside the path is skipped in C.

    Of repeated keys the last counts, as for the parser.

    >>> text = '{"a": [1, "x"]}'
    >>> text[slice(*span_of(text, ["a", 1]))]
    '"x"'
    """
    at = _skip(text, 0)
    for step in path:
        at = _member(text, at, step) if isinstance(step, str) else _item(text, at, step)
    return at, _DECODER.raw_decode(text, at)[1]


def _member(text: str, at: int, key: str) -> int:
    found = at
    at = _skip(text, at + 1)
    while text[at] == '"':
        name, at = _DECODER.raw_decode(text, at)
        value = _skip(text, _skip(text, at) + 1)
        if name == key:
            found = value
        at = _skip(text, _DECODER.raw_decode(text, value)[1])
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found


def _item(text: str, at: int, index: int) -> int:
    at = _skip(text, at + 1)
    for _ in range(index):
        at = _skip(text, _skip(text, _DECODER.raw_decode(text, at)[1]) + 1)
    return at


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
