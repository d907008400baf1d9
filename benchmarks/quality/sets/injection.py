"""Injection and jailbreak in prompts and in documents, against harmless text of the same lengths."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.quality.rows import SEED, Row, Source, Standing, distinct, read, some
from benchmarks.quality.sets import clean
from services.guard.training.injection import corpora, disguising, examples, suffixes
from services.guard.training.injection.examples import Example
from services.guard.training.injection.report import length_matched

TRAINED = 7  # the seed of services.guard.training.injection
PROMPT, CONTEXT = "prompt_injection", "context_injection"
NOTE = "one text in five, which training holds out; it pooled the windows and set the threshold"
DISGUISED, SUFFIXED, FIVE = 25, 250, 5


def sources(data: Path) -> Iterator[Source]:
    """Attacks of each kind, documents with something hidden, look-alikes, clean text."""
    found = [each for each in examples.read(data, seed=TRAINED) if each.held_out]
    calm = [each.text for each in found if each.field == "prompt" and not each.label]
    for name, texts in _attacks(data, found).items():
        matched = [calm[at] for at in length_matched(texts, calm)]
        rows = [_prompt(text, 1) for text in texts] + [_prompt(text, 0) for text in matched]
        yield Source(name, PROMPT, "held out", rows, NOTE)
    documents = [each for each in found if each.field == "context"]
    for name in sorted({_origin(each) for each in documents}):
        own = [_document(each.text, int(each.label)) for each in documents if _origin(each) == name]
        yield Source(f"hidden in {name}", CONTEXT, "held out", own, NOTE)
    yield from _clean(data)


def _attacks(data: Path, found: Sequence[Example]) -> dict[str, list[str]]:
    choose = random.Random(SEED)
    attacks = [each for each in found if each.field == "prompt" and each.label]
    groups: dict[str, list[str]] = {}
    for each in attacks:
        groups.setdefault(f"{each.kind}, {each.source.replace('_', ' ')}", []).append(each.text)
    plain = [each.text for each in attacks if len(each.text) < 1500]
    for name, disguise in disguising.DISGUISES.items():
        groups[f"disguised, {name}"] = [disguise(text, choose) for text in choose.sample(plain, DISGUISED)]
    words = suffixes.vocabulary([row["response"] for row in read(data, "model_versions")])
    asked = [text for text in examples.harmful(data) if corpora.held_out(text)]
    groups["suffix, generated"] = [f"{text} {suffixes.suffix(choose, words)}" for text in some(asked, SUFFIXED)]
    return {name: texts for name, texts in sorted(groups.items()) if len(texts) >= 10}


def _origin(each: Example) -> str:
    return "edited documents" if each.source.startswith("edits_") else each.source.replace("_", " ")


def _clean(data: Path) -> Iterator[Source]:
    look_alikes = [row["text"] for row in read(data, "injection_lookalikes")]
    yield Source("NotInject look-alikes", PROMPT, "unseen", [_prompt(text, 0) for text in look_alikes])
    for name, texts in clean.prompts(data).items():
        if name != "model_versions":
            standing: Standing = "held out" if name == "rag_human" else "unseen"
            note = "its documents are in training, its prompts are not" if name == "rag_human" else ""
            yield Source(f"clean, {name}", PROMPT, standing, [_prompt(text, 0) for text in texts], note)
    tongues = [
        Row({"prompt": text}, text, 0, {"language": name})
        for name, text in clean.languages(data)
        if corpora.held_out(text)
    ]
    yield Source("clean, twenty languages", PROMPT, "held out", tongues, NOTE, times=4)
    judged = read(data, "hallucination")
    for name in ("begin_wow", "halueval_qa"):
        contexts = distinct([row["context"] for row in judged if row["source"] == name])
        yield Source(f"clean, {name}", CONTEXT, "unseen", [_document(text, 0) for text in contexts])
        fives = [contexts[at : at + FIVE] for at in range(0, len(contexts) - FIVE + 1, FIVE)]
        several = [Row({"context": each}, "\n\n".join(each), 0) for each in fives]
        yield Source(f"clean, {name}, five documents", CONTEXT, "unseen", several)


def _prompt(text: str, label: int) -> Row:
    return Row({"prompt": text}, text, label)


def _document(text: str, label: int) -> Row:
    return Row({"context": [text]}, text, label)
