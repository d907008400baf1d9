"""Instructions for an assistant, hidden in documents."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.guard.training.injection import attacks
from services.guard.training.injection.grammar import cased, grown, loaded

GRAMMAR = loaded("hiding")
_BOUNDARY = re.compile(r"(?<=[.!?])\s+|\n+")


@dataclass(frozen=True)
class Hidden:
    """A document, and the characters of it that were hidden there; none if it is clean."""

    text: str
    start: int = 0
    end: int = 0


def instruction(choose: random.Random, tasks: Sequence[str]) -> str:
    """Something that a document has no business to ask of its reader."""
    kind = choose.random()
    if kind < 0.3:
        return choose.choice(tasks)
    if kind < 0.4:
        return attacks.hijack(choose, tasks)
    if kind < 0.45:
        return attacks.extraction(choose)
    grammar = {**attacks.GRAMMAR, **GRAMMAR, "task": [choose.choice(tasks).rstrip(".")]}
    text = cased(grown("{hidden}", grammar, choose), choose)
    return text[:1].upper() + text[1:]


def hidden(document: str, secret: str, choose: random.Random) -> Hidden:
    """`document` with `secret` between two sentences: a third at its start, a third at its end."""
    inner = [match.end() for match in _BOUNDARY.finditer(document)] or [0]
    at = choose.choice((0, len(document), choose.choice(inner)))
    before, after = choose.choice(
        ((" ", " "), (" ", " "), ("\n", "\n"), ("\n\n", "\n\n"), (" [", "] "), ("\n---\n", "\n"))
    )
    start = at + len(before)
    return Hidden(f"{document[:at]}{before}{secret}{after}{document[at:]}", start, start + len(secret))
