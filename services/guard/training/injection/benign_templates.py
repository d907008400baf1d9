"""Harmless texts with the words of attacks: mentions, settings, stories, roles, warnings; and recipes and manuals."""

import random
from collections.abc import Sequence

from services.guard.training.injection.grammar import cased, grown, loaded

GRAMMAR = loaded("benign_templates")
GRAMMAR["step_lower"] = [step.lower() for step in GRAMMAR["step"]]
GRAMMAR["part2"] = GRAMMAR["part"]


def look_alike(choose: random.Random) -> str:
    """A harmless sentence or short prompt with an attack's vocabulary."""
    text = cased(grown("{harmless}", GRAMMAR, choose), choose)
    return text[:1].upper() + text[1:]


def long_role(choose: random.Random, requests: Sequence[str]) -> str:
    """A long harmless prompt that sets a role and its rules, as people write for assistants."""
    duties = choose.sample(GRAMMAR["role_duty"], choose.randint(3, 8))
    opening = grown(
        choose.choice(("You are {role}.", "I want you to act as {role}.", "Act as {role}.")), GRAMMAR, choose
    )
    parts = [opening, *duties, choose.choice(requests)]
    return choose.choice((" ", "\n", "\n- ")).join(part for part in parts if part)


def manual(choose: random.Random, steps: int) -> str:
    """Steps of a recipe, a manual or an office notice."""
    sentences = [grown("{manual}", GRAMMAR, choose) for _ in range(steps)]
    if choose.random() < 0.4:
        return "\n".join(f"{number}. {each}" for number, each in enumerate(sentences, 1))
    return " ".join(sentences)
