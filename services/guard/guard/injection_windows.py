"""A text in windows of one to three sentences."""

from dataclasses import dataclass

from services.shared.sentences import Sentence, sentences

ENOUGH = 160  # characters after which no further sentence joins: about 35 tokens
MOST_SENTENCES = 3


@dataclass(frozen=True)
class Window:
    """Characters `start` to `end` (exclusive) of a text."""

    text: str
    start: int
    end: int


def windows(text: str) -> list[Window]:
    """Windows that hold every sentence of `text` once, in order; at least one of a text that is not blank.

    >>> [window.text for window in windows("One. Two. Three. Four.")]
    ['One. Two. Three.', 'Four.']
    """
    groups: list[list[Sentence]] = []
    for sentence in sentences(text, most=len(text) + 1):
        last = groups[-1] if groups else []
        if last and len(last) < MOST_SENTENCES and last[-1].end - last[0].start < ENOUGH:
            last.append(sentence)
        else:
            groups.append([sentence])
    found = [_joined(text, group) for group in groups]
    if not found and text.strip():
        found = [Window(text[:2000], 0, len(text[:2000]))]
    return found


def _joined(text: str, group: list[Sentence]) -> Window:
    return Window(text[group[0].start : group[-1].end], group[0].start, group[-1].end)
