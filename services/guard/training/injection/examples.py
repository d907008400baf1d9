"""What the heads learn from, and what they are measured on."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from services.guard.training.injection import attacks, benign_templates, corpora, hiding
from services.guard.training.injection.grammar import grown
from services.shared.training_rows import rows

Field = Literal["prompt", "context"]
GENERATED = 700  # of each kind of attack; the real jailbreaks are 775
ASSEMBLED = 400  # documents out of pieces of several


@dataclass(frozen=True)
class Example:
    """A text of a field; `kind` is the attack's, or the sort of harmless text; an attack stands in `start` to `end`."""

    text: str
    field: Field
    label: bool
    kind: str
    source: str
    start: int = 0
    end: int = 0
    held_out: bool = False


def read(data: Path, *, seed: int) -> list[Example]:
    """Every example, one in five held out by its text (whole documents), in an order that `seed` decides."""
    choose = random.Random(seed)  # noqa: S311 - reproducible, not secret
    found = [*_jailbreaks(data), *_generated(data, choose), *_ordinary(data, choose), *_documents(data, choose)]
    found = [replace(each, end=each.end or len(each.text)) for each in found if each.text.strip()]
    choose.shuffle(found)
    return found


def tasks(data: Path) -> list[str]:
    """Short requests, as users make them."""
    return [row["prompt"] for row in rows(data, "instructions") if 15 < len(row["prompt"]) < 250]


def harmful(data: Path) -> list[str]:
    """Questions that assistants should refuse."""
    return [row["text"] for row in rows(data, "harmful_requests")]


def _example(text: str, kind: str, source: str, *, label: bool) -> Example:
    return Example(text, "prompt", label, kind, source, held_out=corpora.held_out(text))


def _jailbreaks(data: Path) -> Iterator[Example]:
    for row in rows(data, "injection"):
        if row["label"] and row["kind"] in {"jailbreak", "hijack"}:
            yield _example(row["text"], row["kind"], row["source"], label=True)


def _generated(data: Path, choose: random.Random) -> Iterator[Example]:
    short, asked = tasks(data), harmful(data)
    longer = [row["prompt"] for row in rows(data, "instructions") if len(row["prompt"]) > 250]
    for number in range(GENERATED):
        order = attacks.hijack(choose, short)
        yield _example(order, "hijack", "grammar", label=True)
        yield _example(attacks.extraction(choose), "extraction", "grammar", label=True)
        yield _example(attacks.persona(choose, asked), "jailbreak", "grammar", label=True)
        if number % 3 == 0:
            host = choose.choice(longer)
            placed = hiding.hidden(host, order, choose)
            yield Example(
                placed.text, "prompt", True, "hijack", "grammar", placed.start, placed.end, corpora.held_out(host)
            )


def _ordinary(data: Path, choose: random.Random) -> Iterator[Example]:
    """Harmless prompts: as long as the attacks, with their words, in their forms, in many languages, and code."""
    short = tasks(data)
    for source, texts, count in _prompts(data, choose):
        for text in choose.sample(texts, min(count, len(texts))):
            yield _example(text, "ordinary", source, label=False)
    for _ in range(1200):
        yield _example(benign_templates.look_alike(choose), "look_alike", "grammar_look_alike", label=False)
    for _ in range(250):
        several = " ".join(benign_templates.look_alike(choose) for _ in range(choose.randint(3, 12)))
        yield _example(several, "look_alike", "grammar_look_alike_long", label=False)
        yield _example(benign_templates.long_role(choose, short), "role", "grammar_role", label=False)
    for language, texts in corpora.languages(data).items():
        for text in choose.sample(texts, 30):
            yield _example(text, "language", f"language_{language}", label=False)
        for _ in range(5):
            yield _example(" ".join(choose.sample(texts, 8)), "language", f"language_{language}", label=False)
    for piece in choose.sample(corpora.code(), 120):
        yield _example(piece, "code", "python", label=False)


def _prompts(data: Path, choose: random.Random) -> Iterator[tuple[str, list[str], int]]:
    instructions = corpora.distinct([row["prompt"] for row in rows(data, "instructions")])
    yield "instructions", instructions, 900
    yield (
        "several_instructions",
        ["\n\n".join(choose.sample(instructions, choose.randint(3, 8))) for _ in range(120)],
        120,
    )
    yield "model_versions", corpora.distinct([row["prompt"] for row in rows(data, "model_versions")]), 252
    benign = [row for row in rows(data, "injection") if not row["label"]]
    for source in ("mt_bench", "vicuna_bench", "clinc"):
        yield source, corpora.distinct([row["text"] for row in benign if row["source"] == source]), 400
    yield "grounded", corpora.distinct([row["prompt"] for row in rows(data, "grounded")]), 250
    yield "bias", corpora.distinct([f"{row['context']} {row['question']}" for row in rows(data, "bias")]), 200
    yield "safety_pairs", [_first_turn(row["chosen"]) for row in rows(data, "safety_pairs")], 200
    for source, texts in corpora.documents(data).items():
        asked = (
            "Summarize this: ",
            "What does the text say?\n\n",
            "",
            "Translate into German:\n",
            "Give me the key points.\n",
        )
        yield f"document_{source}", [choose.choice(asked) + text[:3000] for text in texts], 22


def _first_turn(conversation: str) -> str:
    return conversation.split("Assistant:", maxsplit=1)[0].removeprefix("\n\nHuman:").strip()


def _documents(data: Path, choose: random.Random) -> Iterator[Example]:
    """Each document clean; most of them also with something hidden; manuals and security texts with nothing hidden."""
    short = [*tasks(data), *corpora.attacks_of_bipia(data), *choose.sample(harmful(data), 300)]
    found = corpora.documents(data)
    found["manual"] = [benign_templates.manual(choose, choose.randint(2, 25)) for _ in range(500)]
    found["talk_of_attacks"] = [
        " ".join(grown("{term_fact}", benign_templates.GRAMMAR, choose) for _ in range(choose.randint(2, 9)))
        for _ in range(100)
    ]
    for source, texts in found.items():
        for text in choose.sample(texts, min(200, len(texts))):
            cut = text[: choose.randint(300, 2000)]
            times = 2 if source.startswith(("edits", "bipia", "retrieved")) else 1
            yield from _with_and_without(cut, source, short, choose, times=times, out=corpora.held_out(text))
    for out, count in ((False, ASSEMBLED), (True, ASSEMBLED // 4)):
        pool = [text for texts in found.values() for text in texts if corpora.held_out(text) == out]
        for _ in range(count):
            yield from _with_and_without(corpora.assembled(pool, choose), "assembled", short, choose, out=out)


def _with_and_without(
    document: str, source: str, tasks: Sequence[str], choose: random.Random, *, out: bool, times: int = 1
) -> Iterator[Example]:
    """The document, and so many copies with something hidden."""
    yield Example(document, "context", False, "document", source, held_out=out)
    for _ in range(times):
        placed = hiding.hidden(document, hiding.instruction(choose, tasks)[:600], choose)
        yield Example(placed.text, "context", True, "hidden", source, placed.start, placed.end, out)
