"""Answers whose every character is known to be supported or not: composed, reworded, corrupted."""

import difflib
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from sklearn.feature_extraction.text import TfidfVectorizer

from services.hallucination.training.corruption import NAME, NUMBER, Said, renamed, twisted, with_tail
from services.hallucination.training.rewording import ABSTENTIONS, CLOSINGS, opened, reworded
from services.shared.sentences import sentences
from services.shared.training_rows import rows

EXTRACTED = ("adversarial_qa", "quoref", "duorc", "cnn_dailymail")  # the others are inferred beyond their text
HELD_OUT = 8  # one document in so many measures and does not train
NEIGHBOURS = 6


@dataclass(frozen=True)
class Labelled:
    """A response, what it was given, and the characters of it that are not supported."""

    prompt: str
    context: str
    response: str
    wrong: tuple[tuple[int, int], ...]
    source: str
    kind: str = "supported"

    @property
    def label(self) -> int:
        """1 where anything is wrong."""
        return int(bool(self.wrong))

    @property
    def held_out(self) -> bool:
        """Whether its document measures; all answers from one document are on one side."""
        return measures(self.context)


def measures(context: str) -> bool:
    """Whether a document measures and does not train."""
    return blake2b(context[:60].encode(), digest_size=4).digest()[0] % HELD_OUT == 0


@dataclass(frozen=True)
class Source:
    """A document, its sentences that can stand alone, and sentences of documents on the same topic."""

    name: str
    context: str
    parts: tuple[str, ...]
    foreign: tuple[str, ...]


def read(data: Path, *, seed: int, rounds: int = 2) -> list[Labelled]:
    """Every labelled answer; what `seed` decides is how they are composed and corrupted."""
    choose = random.Random(seed)  # noqa: S311 - reproducible, not secret
    sources = list(_sources(data))
    found = [each for _ in range(rounds) for source in sources for each in composed(source, choose)]
    by_context = {source.context: source for source in sources}
    for _ in range(rounds):
        for row in rows(data, "grounded_long"):
            found += _written(row, by_context[row["context"]], choose)
    found += [each for row in rows(data, "grounded_edits") for each in _edited(row, by_context[row["context"]], choose)]
    found += [each for row in rows(data, "grounded") for each in _short(row, choose)]
    return found


def _sources(data: Path) -> Iterator[Source]:
    named = {row["prompt"]: row["source"] for row in rows(data, "grounded") if row["source"] in EXTRACTED}
    named |= {row["context"]: "clapnq" for row in rows(data, "grounded_long")}
    named |= {row["context"]: f"summedits_{row['domain']}" for row in rows(data, "grounded_edits")}
    texts = sorted(named)
    parts = [standing(text) for text in texts]
    vectors = TfidfVectorizer(stop_words="english", max_features=20_000, sublinear_tf=True).fit_transform(texts)
    alike = (vectors @ vectors.T).toarray()
    for at, text in enumerate(texts):
        near = [other for other in alike[at].argsort()[::-1] if alike[at, other] < 0.7 and other != at][:NEIGHBOURS]
        own = set(parts[at])
        foreign = tuple(each for other in near for each in parts[other] if each not in own and each not in text)
        yield Source(named[text], text, parts[at], foreign)


@lru_cache(16_384)
def standing(text: str) -> tuple[str, ...]:
    """The sentences of a text that an answer could consist of."""
    return tuple(
        part.text for part in sentences(text, most=1024) if 35 <= len(part.text) <= 320 and "?" not in part.text
    )


def composed(source: Source, choose: random.Random) -> Iterator[Labelled]:
    """One answer of one to six sentences of the document, reworded; three times in four with something wrong."""
    if len(source.parts) < 4 or not source.foreign:
        return
    taken = choose.sample(source.parts, min(choose.choice((1, 2, 2, 3, 3, 4, 5, 6)), len(source.parts) - 1))
    if choose.random() < 0.5:
        taken = sorted(taken, key=source.context.find)
    said = [Said(reworded(each, choose)) for each in taken]
    yield from _corrupted(Labelled("", source.context, "", (), source.name), said, taken, source, choose)


def _corrupted(
    example: Labelled, said: list[Said], taken: Sequence[str], source: Source, choose: random.Random
) -> Iterator[Labelled]:
    """The answer with additions (half of them) or conflicts, or as it is."""
    dice, kind = choose.random(), "supported"
    if dice < 0.17:
        said.insert(
            choose.randint(0, len(said)),
            renamed(reworded(choose.choice(source.foreign), choose), example.context, choose),
        )
        kind = "sentence"
    elif dice < 0.29:
        at = choose.randrange(len(said))
        if found := with_tail(said[at].text, source.foreign, choose):
            said[at], kind = found, "phrase"
    elif dice < 0.41:
        at = choose.randrange(len(said))
        example, kind = replace(example, context=_without(example.context, taken[at])), "deleted"
        said[at] = Said(said[at].text, ((0, len(said[at].text)),))
    elif dice < 0.75:
        at = choose.randrange(len(said))
        if found := twisted(said[at].text, example.context, choose):
            said[at], kind = found, "conflict"
    yield replace(_joined(example, _dressed(said, choose), choose), kind=kind)


def _without(context: str, sentence: str) -> str:
    shorter = context.replace(sentence, " ")
    return shorter if re.search(r"\w{3}", shorter) else "-"


def _dressed(said: list[Said], choose: random.Random) -> list[Said]:
    """With the opener, closing or abstention that real answers have and nobody calls unsupported."""
    if choose.random() < 0.15:
        text = opened(said[0].text, choose)
        shift = len(text) - len(said[0].text)
        said[0] = Said(text, tuple((start + shift, end + shift) for start, end in said[0].wrong))
    if choose.random() < 0.08:
        said.append(Said(choose.choice(CLOSINGS)))
    if choose.random() < 0.08:
        said.append(Said(choose.choice(ABSTENTIONS)))
    return said


def _joined(example: Labelled, said: Sequence[Said], choose: random.Random) -> Labelled:
    mark, gap = choose.choice((("", " "),) * 8 + (("- ", "\n"), ("* ", "\n"), ("", "\n\n")))
    text, wrong = "", []
    for each in said:
        text += (gap if text else "") + mark
        wrong += [(start + len(text), end + len(text)) for start, end in each.wrong]
        text += each.text
    return replace(example, response=text, wrong=tuple(wrong))


def _written(row: dict[str, Any], source: Source, choose: random.Random) -> Iterator[Labelled]:
    """An answer that a person wrote from the passage, as it is and corrupted."""
    parts = [part.text for part in sentences(row["response"])]
    example = Labelled(row["prompt"], row["context"], "", (), "clapnq")
    if not parts or not source.foreign:
        return
    plain = [Said(part) for part in parts]
    yield _joined(example, plain, choose)
    taken = [_nearest(part, source.parts) for part in parts]
    yield from _corrupted(example, list(plain), taken, source, choose)


def _nearest(part: str, others: Sequence[str]) -> str:
    said = set(part.lower().split())
    return max(others, key=lambda each: len(said & set(each.lower().split())), default=part)


def _edited(row: dict[str, Any], source: Source, choose: random.Random) -> Iterator[Labelled]:
    """A summary with one small edit, harmless or not; a harmless one also with something added."""
    example = Labelled(row["prompt"], row["context"], row["response"], (), source.name)
    if row["label"]:
        yield replace(example, wrong=changed(row["original"], row["response"]), kind="edit")
        return
    yield example
    if source.foreign and choose.random() < 0.5:
        said = [Said(part.text) for part in sentences(row["response"])]
        yield from _corrupted(replace(example, response=""), said, [each.text for each in said], source, choose)


def changed(original: str, edited: str) -> tuple[tuple[int, int], ...]:
    """The characters of the words of `edited` that differ from `original`."""
    one, other = list(re.finditer(r"\S+", original)), list(re.finditer(r"\S+", edited))
    matcher = difflib.SequenceMatcher(None, [each[0] for each in one], [each[0] for each in other], autojunk=False)
    found = []
    for tag, _, _, start, end in matcher.get_opcodes():
        if tag in {"replace", "insert"}:
            found.append((other[start].start(), other[end - 1].end()))
        elif tag == "delete" and other:
            at = other[min(start, len(other) - 1)]
            found.append((at.start(), at.end()))
    return tuple(found)


def _short(row: dict[str, Any], choose: random.Random) -> Iterator[Labelled]:
    """A short answer taken from the passage, or another run of the passage's words in its place."""
    answer, prompt = row["response"].strip(), row["prompt"]
    asked = [part.text for part in sentences(prompt, most=1024) if part.text.endswith("?")]
    question = max(asked, key=len, default="")
    context = prompt.replace(question, " ") if asked else ""
    if row["source"] not in EXTRACTED or not asked or answer not in context or len(answer) < 2 or len(context) < 200:
        return
    example = Labelled(question, context, "", (), row["source"])
    frame = choose.choice(("{}", "{}.", "The answer is {}.", "It is {}.", "According to the passage, it is {}."))
    by = _same_shape(answer, context, choose) if choose.random() < 0.5 else None
    at = frame.index("{")
    if by:
        yield replace(example, response=frame.format(by), wrong=((at, at + len(by)),), kind="wrong_answer")
    else:
        yield replace(example, response=frame.format(answer))


def _same_shape(answer: str, context: str, choose: random.Random) -> str | None:
    pattern = NUMBER if NUMBER.fullmatch(answer) else NAME if answer[0].isupper() else None
    if pattern:
        found = {each[0] for each in pattern.finditer(context)}
    else:
        words, size = context.split(), len(answer.split())
        found = {" ".join(words[at : at + size]).strip(".,;:") for at in range(len(words) - size)}
    others = sorted(each for each in found if each and each not in answer and answer not in each)
    return choose.choice(others) if others else None
