"""What questions about people and answers to them teach: BBQ, and answers that leave it open."""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from services.shared.training_rows import rows
from services.toxicity.training.examples import CLEAN, HELD_OUT, Example

NOBODY = {"marginalised": 0.0, "favoured": 0.0}
EVERYDAY = ("instructions", "short_answers", "clinc", "grounded", "python_reference", "made_chatter", "made_harmless")
MOST = 2500  # answers of one category
SILENCES = 120  # answers that the text does not say it, in as many words
# Beyond the categories of BBQ at hand; who is discriminated against is no matter of one data set.
MARGINALISED = (
    "black", "African American", "Latino", "Hispanic", "Native American", "Roma", "immigrant", "refugee", "transgender",
    "nonbinary", "poor", "low-income", "homeless", "unemployed", "working-class", "Middle Eastern", "Asian American",
    "foreign-born", "illiterate", "Black", "female", "undocumented",
)  # fmt: skip
FAVOURED = (
    "white", "European", "Caucasian", "native-born", "cisgender", "rich", "wealthy", "well-off", "upper-class", "White",
    "employed", "high-income", "affluent", "British", "male", "educated", "middle-class", "Western",
)  # fmt: skip
PERSONS = ("man", "person", "one", "woman", "student", "guy", "neighbour", "colleague", "kid", "customer")
UNDECIDED = (
    "The text does not say.", "There is not enough information to tell.", "It is impossible to know from this.",
    "I can't tell who it was.", "That is not stated anywhere.", "Neither can be singled out.",
    "It could be either of them.",
    "The passage doesn't mention which of the two.", "We don't know.", "Nobody can say without knowing more.",
    "Not clear.",
    "I would need more details to answer.", "There is no way to tell from the description.",
    "Either one, it isn't specified.",
    "No information is given about that.", "Based on the text, this can't be decided.",
    "I'm not able to determine that.",
    "It would be unfair to assume either one.", "The context gives no answer.", "Hard to say, both are possible.",
)  # fmt: skip
SOURCES = ("The text", "The passage", "The context", "The story", "That", "It", "The description", "What is given")
SILENT = (
    "does not say", "doesn't say", "does not tell", "doesn't mention", "gives no hint", "leaves open", "is silent on",
)  # fmt: skip
UNKNOWN = (
    "which of them", "who of the two", "who did that", "whose fault that is", "who is meant", "anything about it",
)  # fmt: skip
FRAMES = (
    "{}", "{}.", "It was {}.", "I think it was {}.", "The answer is {}.", "{}, of course.", "Probably {}.", "{} did.",
    "Most likely {}.", "That would be {}.", "{} is the one.", "Based on the text, {}.",
)  # fmt: skip


def read(data: Path, choose: random.Random, *, without: Sequence[str] = ()) -> Iterator[Example]:
    """Questions, answers and group words; none of the categories `without`."""
    by_category: Mapping[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows(data, "bias"):
        by_category[row["bias_type"]].append(row)
    for category, found in sorted(by_category.items()):
        if category not in without:
            yield from _of_rows(found, f"bbq_{category.lower()}", choose)
    for words, label in ((MARGINALISED, 1.0), (FAVOURED, 0.0)):
        for word in words:
            for person in PERSONS:
                named = choose.choice(FRAMES).format(f"the {word} {person}")
                yield Example(named, "made_answers", _of_group(label > 0), choose.random() < HELD_OUT)
    silent = (f"{source} {verb} {what}." for source in SOURCES for verb in SILENT for what in UNKNOWN)
    for text in (*UNDECIDED, *choose.sample(sorted(silent), SILENCES)):
        yield Example(text, "made_answers", {**CLEAN, **NOBODY, "undecided": 1.0})


def _of_rows(found: Sequence[dict[str, Any]], source: str, choose: random.Random) -> Iterator[Example]:
    questions = {row["question"]: float(row["polarity"] == "neg") for row in found}
    for question, unfavourable in sorted(questions.items()):
        yield Example(question, source, {**CLEAN, "unfavourable": unfavourable}, choose.random() < HELD_OUT)
    held_out: dict[str, bool] = {}
    for row in choose.sample(found, min(MOST, len(found))):
        for number, answer in enumerate(row["answers"]):
            out = held_out.setdefault(answer, choose.random() < HELD_OUT)
            open_, group = is_open(row, number), is_stereotyped(row, number)
            labels = {**NOBODY, "undecided": 1.0} if open_ else _of_group(group)
            yield Example(choose.choice(FRAMES).format(answer), source, {**CLEAN, **labels}, out)


def _of_group(marginalised: bool) -> Mapping[str, float]:
    return {"marginalised": float(marginalised), "favoured": float(not marginalised), "undecided": 0.0}


def pointless(found: Sequence[Example]) -> list[Example]:
    """The examples, where everyday text points at nobody's group."""
    return [
        replace(example, labels={**example.labels, **NOBODY}) if example.source in EVERYDAY else example
        for example in found
    ]


def is_open(row: Mapping[str, Any], number: int) -> bool:
    """Whether the answer leaves it open."""
    return bool(row["answer_info"][f"ans{number}"][1] == "unknown")


def is_stereotyped(row: Mapping[str, Any], number: int) -> bool:
    """Whether the answer names the group that the stereotype is about."""
    info = {str(each).lower() for each in row["answer_info"][f"ans{number}"]}
    return bool(info & {group.lower() for group in row["stereotyped_groups"]})
