"""Sentences of a text, and where they lie."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# A stop, closing quotes, then white space; or a line's end; or the stops of Chinese, Japanese and Hindi. White space is
# looked at from its start alone: from each of a million blanks on, the search for a line's end would take hours.
_BOUNDARY = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|(?<!\s)\s*\n\s*|(?<=[。！？।])\s*")
_ABBREVIATED = re.compile(r"(?:\b(?:[A-Za-z]|e\.g|i\.e|etc|vs|cf|Mr|Mrs|Ms|Dr|Prof|St|No|Fig|approx)\.)$")
LONGEST = 600  # characters: about 150 tokens, which the encoder takes in one window


@dataclass(frozen=True)
class Sentence:
    """Characters `start` to `end` (exclusive) of a text."""

    text: str
    start: int
    end: int


def sentences(text: str, *, most: int = 128) -> list[Sentence]:
    """The sentences of `text` that hold a letter or another symbol with a meaning, in order.

    A sentence longer than 600 characters is cut at white space. Of a text with more than `most`, the sentences are
    joined with their neighbours until `most` remain, so that everything is still read.

    >>> [sentence.text for sentence in sentences("It works, e.g. here. Does it? Yes!")]
    ['It works, e.g. here.', 'Does it?', 'Yes!']
    """
    found = [piece for start, end in _bounds(text) for piece in _cut(text, start, end)]
    if len(found) <= most:
        return found
    step = -(-len(found) // most)
    groups = [found[at : at + step] for at in range(0, len(found), step)]
    return [Sentence(text[group[0].start : group[-1].end], group[0].start, group[-1].end) for group in groups]


def _bounds(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _BOUNDARY.finditer(text):
        if "\n" not in match[0] and _ABBREVIATED.search(text, max(start, match.start() - 8), match.start()):
            continue
        yield start, match.end()
        start = match.end()
    yield start, len(text)


def _cut(text: str, start: int, end: int) -> Iterator[Sentence]:
    while start < end:
        stop = end if end - start <= LONGEST else _break_before(text, start, start + LONGEST)
        piece = text[start:stop]
        if any(not character.isspace() and not _is_ornament(character) for character in piece):
            first = start + len(piece) - len(piece.lstrip())
            last = first + len(piece.strip())
            yield Sentence(text[first:last], first, last)
        start = stop


def _break_before(text: str, start: int, limit: int) -> int:
    space = text.rfind(" ", start + LONGEST // 2, limit)
    return limit if space < 0 else space


def _is_ornament(character: str) -> bool:
    return character.isascii() and not character.isalnum()
