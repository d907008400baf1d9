"""Texts made from templates, for what no source labels: threats, sexual content, and what only looks like an attack."""

import random
import string
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from services.shared.identity_terms import CLASSES
from services.toxicity.toxicity import KINDS

HELD_OUT = 0.15  # of the templates
EACH = 14  # texts of one template, at most

_FILE = yaml.safe_load(Path(__file__).with_name("templates.yaml").read_text())
WORDS: Mapping[str, Sequence[str]] = _FILE["words"]


def made(choose: random.Random) -> Iterator[tuple[str, str, Mapping[str, float], bool]]:
    """Family, text, what it says of each kind, and whether its template is held out; no text twice."""
    for family, found in _FILE["families"].items():
        labels = {kind: float(said) for kind, said in zip(KINDS, found["says"], strict=True) if said != "?"}
        for template in found["templates"]:
            held_out = choose.random() < HELD_OUT
            for text in sorted({filled(template, choose) for _ in range(EACH)}):
                yield family, text, labels, held_out


def filled(template: str, choose: random.Random) -> str:
    """One text of a template, in one of the ways that people write."""
    slots = {name for _, name, _, _ in string.Formatter().parse(template) if name}
    text = template.format(**{name: _word(name, choose) for name in sorted(slots)})
    text = text[0].upper() + text[1:]
    return _as_typed(text, choose)


def _word(slot: str, choose: random.Random) -> str:
    match slot:
        case "group":
            kind = choose.choice(("faithful", "peoples", "orientations", "adults", "adjective", "adjective"))
            return f"{_adjective(choose)} people" if kind == "adjective" else choose.choice(CLASSES[kind]).title()
        case "adjective":
            return _adjective(choose)
        case "an_insult":
            insult = choose.choice(WORDS["insult"])
            return f"{'an' if insult[0] in 'aeiou' else 'a'} {insult}"
        case "number":
            return str(choose.randint(2, 90))
        case _:
            return choose.choice(WORDS[slot.rstrip("2")])


def _adjective(choose: random.Random) -> str:
    kind = choose.choice(("orientation", "gender", "religion", "origin", "origin", "ability", "age"))
    return str(choose.choice(CLASSES[kind]))


def _as_typed(text: str, choose: random.Random) -> str:
    chance = choose.random()
    if chance < 0.2:
        return text.lower().rstrip(".")
    if chance < 0.24:
        return text.upper()
    return text.rstrip(".") + "!" if chance < 0.3 else text
