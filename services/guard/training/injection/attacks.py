"""Attacks from grammars: overriding instructions, extracting the system prompt, and personas without limits."""

import random
from collections.abc import Sequence

from services.guard.training.injection.grammar import cased, grown, loaded

GRAMMAR = loaded("attacks")


def hijack(choose: random.Random, tasks: Sequence[str]) -> str:
    """An order to drop earlier instructions, with what to do instead."""
    return _first_upper(cased(grown("{hijack}", {**GRAMMAR, "task": [choose.choice(tasks)]}, choose), choose))


def extraction(choose: random.Random) -> str:
    """A request for the system prompt or a secret in it."""
    return _first_upper(cased(grown("{extract}", GRAMMAR, choose), choose))


def persona(choose: random.Random, harmful: Sequence[str]) -> str:
    """A role without limits: an opening, some rules, a request."""
    rules = [grown("{rule}", GRAMMAR, choose) for _ in range(choose.choice((0, 1, 2, 3, 5, 8)))]
    parts = [
        grown("{persona}", GRAMMAR, choose),
        *rules,
        grown("{ask}", GRAMMAR, choose) + " " + choose.choice(harmful),
    ]
    name = choose.choice(GRAMMAR["name"])
    separator = choose.choice((" ", " ", "\n", "\n\n"))
    text = separator.join(_first_upper(part.strip()) for part in parts if part.strip())
    for other in GRAMMAR["name"]:
        if len(other) > 2:
            text = text.replace(other, name)
    return text


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]
