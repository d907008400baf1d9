"""Responses that the head is fitted to and measured on: composed ones, and ones that people judged."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from services.hallucination.training import composition
from services.hallucination.training.composition import EXTRACTED, Labelled, standing
from services.hallucination.training.corruption import denied, exchanged, other_name, other_number
from services.shared.training_rows import rows

FITTED = ("composed", "clapnq", "summedits", "begin_wow")
JUDGED = {"begin_wow": 1500, "halueval_qa": 500}  # of halueval the length of an answer gives its label away
TWISTS = (other_name, other_number, exchanged, denied)


def read(data: Path, *, seed: int, most: int) -> list[Labelled]:
    """Answers from documents that the token classifier has not seen, and judged ones of other sources."""
    choose = random.Random(seed)  # noqa: S311 - reproducible, not secret
    unseen = _unseen(composition.read(data, seed=seed, rounds=3))
    return [*choose.sample(unseen, min(most, len(unseen))), *_judged(data, choose)]


def _unseen(found: Sequence[Labelled]) -> list[Labelled]:
    """The answers from documents that measure and share no sentence with one that trains."""
    known = {part for each in found if not each.held_out for part in standing(each.context)}
    return [each for each in found if each.held_out and not known.intersection(standing(each.context))]


def _judged(data: Path, choose: random.Random) -> Iterator[Labelled]:
    for source, count in JUDGED.items():
        found = [row for row in rows(data, "hallucination") if row["source"] == source]
        for row in choose.sample(found, min(count, len(found))):
            yield _whole(row)


def _whole(row: dict[str, str]) -> Labelled:
    """A response of which only the whole is judged."""
    wrong = ((0, len(row["response"])),) if row["label"] else ()
    return Labelled(row["prompt"], row["context"], row["response"], wrong, row["source"], "judged")


def answers(data: Path) -> list[Labelled]:
    """Answers of current models, judged by three people each: for measuring and the threshold only."""
    return [_whole(row) for row in rows(data, "rag_human")]


def twins(data: Path, *, seed: int, most: int) -> list[Labelled]:
    """Supported answers, each followed by its twin: a name, number or role from the same context, or a denial."""
    choose = random.Random(seed)  # noqa: S311 - reproducible, not secret
    unseen = _unseen(composition.read(data, seed=seed))
    plain = [each for each in unseen if not each.wrong and len(each.response) > 40]
    found: list[Labelled] = []
    for example in choose.sample(plain, len(plain)):
        twist = choose.choice(TWISTS)
        wrong = twist(example.response, example.context, choose)
        known = wrong and all(wrong.text[start:end] in example.context for start, end in wrong.wrong)
        if wrong and wrong.text != example.response and (known or twist is denied):
            kind = twist.__name__
            found += [replace(example, kind=kind), replace(example, response=wrong.text, wrong=wrong.wrong, kind=kind)]
        if len(found) >= most:
            break
    return found


def group(source: str) -> str:
    """The source as it is left out: all composed ones are one, and all domains of a set."""
    return "composed" if source in EXTRACTED else "summedits" if source.startswith("summedits") else source


def contexts(data: Path) -> list[str]:
    """The documents that rarity is counted in."""
    found = {
        row["context"] for file in ("hallucination", "grounded_edits", "grounded_long") for row in rows(data, file)
    }
    return sorted(found | {row["prompt"] for row in rows(data, "grounded")})
