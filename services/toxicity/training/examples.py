"""Sentences and what each source's labels say of them."""

import pydoc_data.topics
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from services.shared.identity_terms import mentions
from services.shared.sentences import sentences
from services.shared.training_rows import rows
from services.toxicity.toxicity import KINDS
from services.toxicity.training import templates

HELD_OUT = 0.15
AT = datetime(2026, 1, 1, tzinfo=UTC)  # of calls that are made of rows
CLEAN: Mapping[str, float] = dict.fromkeys(KINDS, 0.0)
NO_REQUEST = {"harmful_request": 0.0}  # a post of a forum asks an assistant for nothing
_SEXUAL = re.compile(
    r"\b(?:porn\w*|erotic\w*|nudes?|naked|pussy|cock|dick|penis|vagina\w*|blowjobs?|cum|horny|orgasm\w*|masturbat\w*|"
    r"tits|sexual\w*|sexy|nsfw|explicit|fetish\w*|suck my|sex)\b",
    re.IGNORECASE,
)
_EXPLICIT = re.compile(
    r"\b(?:pussy|cock|blowjobs?|cum|horny|tits|suck my|deepthroat\w*|orgasm\w*|fuck (?:me|her|him) (?:hard|all))\b",
    re.IGNORECASE,
)
_PLAIN_INSULT = re.compile(
    r"(?:stupid|idiot|dumb|moron|pathetic|fool|ridiculous|crap|loser|hypocrit|jerk|silly|garbage|liar|clown|imbecile|"
    r"trash|coward|useless|buffoon|nonsense|rubbish|ignoran|damn|incompetent)",
    re.IGNORECASE,
)
# Which some hold to be none of an assistant's business, but which harm nobody.
_HARMLESS = re.compile(r"Tailored Financial Advice|Political Campaigning|human_chatbox|misinformation_harms")
_ABOUT_GROUPS = re.compile(r"discrimination|hate|harass", re.IGNORECASE)


@dataclass(frozen=True)
class Example:
    """A text; 1 or 0 for each kind that its source says something of; and where it comes from.

    `held_out` examples are for measuring only.
    """

    text: str
    source: str
    labels: Mapping[str, float] = field(default_factory=dict)
    held_out: bool = False


def read(data: Path, *, seed: int) -> list[Example]:
    """Every example, without repeats, in an order that `seed` decides."""
    choose = random.Random(seed)  # noqa: S311 - reproducible, not secret
    found: list[Example] = []
    for maker in (
        _contrast,
        _civil,
        _davidson,
        _harmful,
        _instructions,
        _other_clean,
        _documentation,
        _made,
        _languages,
    ):
        found += maker(data, choose)
    unique = list({example.text: example for example in found}.values())
    choose.shuffle(unique)
    return unique


def _sample(found: list[Any], count: int, choose: random.Random) -> list[Any]:
    return choose.sample(found, min(count, len(found)))


def _contrast(data: Path, choose: random.Random) -> Iterator[Example]:
    groups: dict[str, bool] = {}
    for row in rows(data, "toxicity_contrast"):
        group = str(row.get("pair") or row.get("template") or row["text"])
        held_out = groups.setdefault(group, choose.random() < HELD_OUT)  # a pair is never torn apart
        yield Example(row["text"], row["source"], _of_contrast(row), held_out)


def _of_contrast(row: Mapping[str, Any]) -> Mapping[str, float]:
    bad = float(row["label"])
    match row["source"]:
        case "hatemoji_build":  # hate and its twins, which may be rude to people who are no group
            threat = {"threat": float(row["type"] == "threateninglanguage")} if bad else {}
            return {"identity_attack": bad, **threat, **NO_REQUEST}
        case "toxigen":
            return {**NO_REQUEST, "identity_attack": bad, "threat": 0.0, **({} if bad else CLEAN)}
        case "madlibs":
            return _of_template(str(row["template"]), row["text"]) if bad else CLEAN
        case _:
            return {"abuse": 1.0, **NO_REQUEST} if bad else CLEAN


def _of_template(template: str, text: str) -> Mapping[str, float]:
    """Somebody who is called a nasty Sikh is abused; that being a Sikh is nasty is said of all."""
    if template == "you_occupation":
        return {**CLEAN, "abuse": 1.0}
    if template in {"you_are_adj", "name_adj"}:
        return {"abuse": 1.0, "threat": 0.0, "sexual": 0.0, **NO_REQUEST}
    threat = float(text.split(maxsplit=1)[0] in {"kill", "murder", "destroy"})
    return {"abuse": 1.0, "identity_attack": 1.0, "threat": threat, "sexual": 0.0, **NO_REQUEST}


def _civil(data: Path, choose: random.Random) -> Iterator[Example]:
    """Only sentences that annotators marked: label 0 means borderline there, not clean."""
    marked = [row for row in rows(data, "toxicity") if row["source"] == "civil_toxic_spans" and row["label"]]
    for row in _sample(marked, 4500, choose):
        held_out = choose.random() < HELD_OUT
        bounds = [_bounds(span) for span in row.get("spans") or []]
        for sentence in sentences(row["text"]):
            inside = [row["text"][start:end] for start, end in bounds if start < sentence.end and end > sentence.start]
            if inside:
                yield Example(sentence.text, "civil_toxic_spans", _of_spans(sentence.text, inside), held_out)


def _of_spans(text: str, spans: list[str]) -> Mapping[str, float]:
    """Abuse; and nothing else where all that was marked are plain insults and no group is named."""
    if all(len(span) > 1 and _PLAIN_INSULT.search(span) for span in spans) and not any(mentions(text)):
        return {**CLEAN, "abuse": 1.0}
    return {"abuse": 1.0, **NO_REQUEST}


def _bounds(span: Any) -> tuple[int, int]:
    return (span, span + 1) if isinstance(span, int) else (span[0], span[1])


def _davidson(data: Path, choose: random.Random) -> Iterator[Example]:
    """`offensive` is profanity, no abuse: it only teaches what is sexual, where words leave no doubt."""
    tweets = [row for row in rows(data, "toxicity") if row["source"] == "davidson"]
    explicit = [row for row in tweets if row["subtype"] == "offensive" and _EXPLICIT.search(row["text"])]
    for name, found, labels, count in (
        ("davidson_hate", _of_subtype(tweets, "hate"), {"abuse": 1.0, **NO_REQUEST}, 1500),
        ("davidson_neither", _of_subtype(tweets, "neither"), {**CLEAN, "abuse": 0.0}, 2500),
        ("davidson_explicit", explicit, {"sexual": 1.0, **NO_REQUEST}, 600),
    ):
        for row in _sample(found, count, choose):
            yield Example(row["text"], name, labels, choose.random() < HELD_OUT)


def _of_subtype(tweets: list[dict[str, Any]], subtype: str) -> list[dict[str, Any]]:
    return [row for row in tweets if row["subtype"] == subtype]


def _harmful(data: Path, choose: random.Random) -> Iterator[Example]:
    for row in rows(data, "harmful_requests"):
        held_out = choose.random() < HELD_OUT
        category = str(row.get("category") or "")
        if not _HARMLESS.search(category):
            yield Example(row["text"], row["source"], _of_request(row["text"], category), held_out)


def _of_request(text: str, category: str) -> Mapping[str, float]:
    """A request is no attack on whom it is put to; whether it is sexual its category and its words tell."""
    labels = {"harmful_request": 1.0, "abuse": 0.0, "threat": 0.0}
    if category.startswith("Adult Content") or "Sexual exploitation" in category:
        return {**labels, "sexual": 1.0}
    if not _SEXUAL.search(text):
        labels["sexual"] = 0.0
    if not _ABOUT_GROUPS.search(category) and not any(mentions(text)):
        labels["identity_attack"] = 0.0
    return labels


def _instructions(data: Path, choose: random.Random) -> Iterator[Example]:
    """Many sentences of each: among them are the short orders that look like requests for something harmful."""
    for row in clean_calls(data, "train"):
        for text in (row["prompt"], row["response"]):
            for sentence in _sample(sentences(text), 10, choose):
                # "No" alone is rude to the encoder: short answers weigh as a source of their own
                source = "short_answers" if len(sentence.text) < 20 else "instructions"
                yield Example(sentence.text, source, CLEAN)


def clean_calls(data: Path, part: Literal["train", "calibrate", "measure"]) -> list[dict[str, Any]]:
    """Instructions and their answers, in three disjoint parts (3 : 1 : 1); a prompt keeps all of its answers."""
    parts = {0: "measure", 1: "calibrate"}
    return [row for row in rows(data, "instructions") if parts.get(sum(row["prompt"].encode()) % 5, "train") == part]


def _other_clean(data: Path, choose: random.Random) -> Iterator[Example]:
    for row in _sample(rows(data, "drift_topic"), 4000, choose):
        yield Example(row["text"], "clinc", CLEAN, choose.random() < HELD_OUT)
    for row in _sample(rows(data, "grounded"), 1200, choose):
        held_out = choose.random() < HELD_OUT
        for sentence in _sample(sentences(row["prompt"]), 2, choose):
            yield Example(sentence.text, "grounded", CLEAN, held_out)
    for row in _sample(rows(data, "bias"), 2000, choose):
        for sentence in sentences(row["context"])[:2]:
            yield Example(sentence.text, "bbq", CLEAN)
        yield Example(row["question"], "bbq", CLEAN)


def _documentation(_data: Path, choose: random.Random) -> Iterator[Example]:
    """The language reference; docstrings of modules are left for measuring."""
    texts = [sentence.text for topic in pydoc_data.topics.topics.values() for sentence in sentences(topic)]
    for text in _sample(texts, 1500, choose):
        yield Example(text, "python_reference", CLEAN)


def _made(_data: Path, choose: random.Random) -> Iterator[Example]:
    for family, text, labels, held_out in templates.made(choose):
        yield Example(text, f"made_{family}", labels, held_out)


def _languages(data: Path, choose: random.Random) -> Iterator[Example]:
    """The encoder reads English alone: what it cannot read is not to look like an attack or a request for harm."""
    for row in _sample(rows(data, "drift_language"), 8000, choose):
        yield Example(row["text"], "languages", CLEAN, held_out=is_kept(row["text"]))


def is_kept(text: str) -> bool:
    """Whether a text in another language is for measuring alone: one in five."""
    return sum(text.encode()) % 5 == 0
