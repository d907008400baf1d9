"""Sentences from a grammar: `{slot}` is replaced by one of the slot's phrases, again and again."""

import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

Grammar = Mapping[str, Sequence[str]]
_SLOT = re.compile(r"\{(\w+)\}")


def loaded(name: str) -> dict[str, list[str]]:
    """The grammar in the file `name`.yaml beside this one."""
    found: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name(f"{name}.yaml").read_text())
    return found


def grown(template: str, grammar: Grammar, choose: random.Random) -> str:
    """`template` with every slot filled; slots that the grammar lacks stay."""
    for _ in range(8):
        filled = _SLOT.sub(lambda match: _filled(match, grammar, choose), template)
        if filled == template:
            break
        template = filled
    return re.sub(r" +([,.!?:;])", r"\1", re.sub(r" {2,}", " ", template)).strip()


def _filled(match: re.Match[str], grammar: Grammar, choose: random.Random) -> str:
    return choose.choice(grammar[match[1]]) if match[1] in grammar else match[0]


def cased(text: str, choose: random.Random) -> str:
    """The text as people type it: now and then in capitals, without capitals, or without its stop."""
    kind = choose.random()
    if kind < 0.06:
        return text.upper()
    if kind < 0.2:
        return text.lower()
    if kind < 0.3:
        return text.rstrip(".!")
    return text
