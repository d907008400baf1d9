"""What is learnt from: the set of personal data, and texts that hold none."""

import ast
import importlib
import inspect
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from services.guard.guard.edges import UNSPACED
from services.guard.guard.tokens import Lists, key
from services.guard.training.generation import Filler, Tagged
from services.guard.training.injection import corpora
from services.shared.training_rows import rows

_PLACES = ("ADDRESS", "LOCATION", "ZIP")
_WORD = re.compile(r"[^\W\d_]+")
OFTEN = 10  # texts of eight hundred
_HONORIFIC = re.compile(r"(?:mr|mrs|ms|miss|dr|prof|herr|frau|sir|madam)\.?\s*", re.IGNORECASE)
# Code and documentation: what is said of names there is about nobody.
MODULES = (
    "argparse", "asyncio.base_events", "collections", "configparser", "csv", "datetime", "difflib", "email.message",
    "enum", "fractions", "functools", "heapq", "http.client", "ipaddress", "json.decoder", "locale", "mailbox",
    "optparse", "pathlib", "pickle", "random", "shutil", "sqlite3.dump", "statistics", "string", "tarfile", "textwrap",
    "typing", "unittest.mock", "uuid",
)  # fmt: skip
HELD_OUT_MODULES = (
    "logging",
    "subprocess",
    "zipfile",
    "urllib.parse",
    "decimal",
    "calendar",
    "threading",
    "socketserver",
)


class Row(NamedTuple):
    """A text of the set, and what it was made from."""

    tagged: Tagged
    template: str
    source: str


def personal(data: Path) -> list[Row]:
    """The rows of the set, with one convention for addresses and names: see `normalised`."""
    return [
        Row(Tagged(row["text"], normalised(row["text"], row["spans"])), _outline(row["template"]), row["source"])
        for row in rows(data, "pii")
    ]


def normalised(text: str, spans: Sequence[Sequence[Any]]) -> tuple[tuple[int, int, str], ...]:
    """Parts of one address as one span, with city and post code; names without honorific; other kinds as they are.

    A post code or number alone is no address; a place alone is none, either.
    """
    merged: list[list[Any]] = []
    for start, end, kind in sorted(map(tuple, spans)):
        place = kind in _PLACES
        between = text[merged[-1][1] : start] if merged else ""
        if place and merged and merged[-1][2] == "PLACE" and len(between) <= 6 and not between.strip(" \n\t\r,."):
            merged[-1][1], merged[-1][3] = end, merged[-1][3] or kind == "ADDRESS"
        else:
            merged.append([start, end, "PLACE" if place else kind, kind == "ADDRESS"])
    result = []
    for start, end, kind, addressed in merged:
        if kind == "PERSON":
            lead = _HONORIFIC.match(text, start, end)
            result.append((lead.end() if lead else start, end, kind))
        elif kind != "PLACE":
            result.append((start, end, kind))
        elif addressed and re.search(r"[^\W\d]", text[start:end]):
            result.append((start, end, "ADDRESS"))
    return tuple(each for each in result if each[1] > each[0])


def _outline(template: str) -> str:
    """The template without what its slots are called: the sources name them differently."""
    return re.sub(r"\W+", " ", re.sub(r"\{\{\w+\}\}", "", template)).strip().lower()[:60]


class Prose(NamedTuple):
    """Texts that people wrote, the words in them that may be names, and those that are everybody's."""

    texts: list[str]
    unknown: frozenset[str]
    everyday: frozenset[str]


def prose(data: Path) -> Prose:
    """Requests, answers and passages.

    A capitalised word that is not often seen in lower case may be a name: where it stands nothing is learnt.
    """
    asked = rows(data, "instructions")
    texts = [row["prompt"] for row in asked] + [row["response"] for row in asked]
    texts += [row["prompt"] for row in rows(data, "grounded")]
    lower = Counter(word for text in texts for word in re.findall(r"\b[a-z]+\b", text))
    capitalised = {word for text in texts for word in re.findall(r"\b[^\W\d_]+", text) if word[0].isupper()}
    unknown = frozenset(word for word in capitalised if lower[word.lower()] < 5)
    return Prose(
        [text for text in texts if text], unknown, frozenset(word for word, seen in lower.items() if seen >= 4)
    )


def negatives(data: Path, written: Prose) -> list[Tagged]:
    """Texts without personal data: a third of the prose, short requests, documentation and code."""
    found = [Tagged(text[:500], (), written.unknown) for text in written.texts[::3]]
    found += [Tagged(row["text"]) for row in rows(data, "drift_topic")[::10]]
    return found + [Tagged(text[:500]) for text in list(code(MODULES))[::2]]


def ordinary(data: Path, lists: Lists, filler: Filler) -> Iterator[Tagged]:
    """Sentences of other languages than English, a name put into every third; a fifth of all is for measuring.

    Most others say nothing of anybody. A word that is a name somewhere and seldom seen in its language teaches nothing.
    """
    languages = corpora.languages(data)
    languages.pop("en")
    for texts in languages.values():
        seen = Counter(word for text in texts for word in set(_WORD.findall(text)))
        named = frozenset(word for word, times in seen.items() if times < OFTEN and _called(word, lists))
        for number, text in enumerate(text[:500] for text in texts if not corpora.held_out(text)):
            made = Tagged(text) if number % 3 else filler.filled(_with_name(text, named, filler))
            yield made._replace(unknown=named)


def _with_name(text: str, named: frozenset[str], filler: Filler) -> str:
    """A template: a name in the place of one or of any word, anywhere within a script without blanks."""
    choose = filler.people.random
    text = text.replace("{", "(").replace("}", ")")
    slot = choose.choice(("{name}", "{name}", "{name}", "{first}", "{last}"))
    if re.search(f"[{UNSPACED}]", text):
        place = choose.randrange(len(text) + 1)
        return text[:place] + slot + text[place:]
    words = list(_WORD.finditer(text))
    known = [word for word in words if word[0] in named] or words
    if not known:
        return f"{text} {slot}"
    word = choose.choice(known)
    return text[: word.start()] + slot + text[word.end() :]


def _called(word: str, lists: Lists) -> bool:
    """Whether somebody is called so; what is written small has another meaning."""
    return not word.islower() and any(key(word) in lists[name] for name in ("first", "last"))


def code(modules: Sequence[str]) -> Iterator[str]:
    """Docstrings and source of Python's own modules, in pieces."""
    for name in modules:
        source = inspect.getsource(importlib.import_module(name))
        pieces = re.split(r"\n(?=def |class |    def )", source)
        yield from (piece[:1500] for piece in pieces)
        yield from (text for node in ast.walk(ast.parse(source)) if (text := _docstring(node)))


def _docstring(node: ast.AST) -> str | None:
    documented = ast.FunctionDef | ast.ClassDef | ast.Module
    return ast.get_docstring(node) if isinstance(node, documented) else None


_PRONOUN = re.compile(r"\b(?:he|she|him|he's|she's|He|She|his|His|Her)\b(?! own)")


def in_prose(written: Prose, filler: Filler, count: int) -> Iterator[Tagged]:
    """Sentences with names where people wrote pronouns: names as no template would show them."""
    random = filler.people.random
    sentences = [each for text in written.texts for each in re.split(r"(?<=[.!?])\s+|\n+", text)]
    fitting = sorted({each for each in sentences if 20 < len(each) < 300 and _PRONOUN.search(each)})
    random.shuffle(fitting)
    for sentence in fitting[:count]:
        template = _PRONOUN.sub(_slot, sentence.replace("{", "(").replace("}", ")"))
        yield filler.filled(template)._replace(unknown=written.unknown)


def _slot(match: re.Match[str]) -> str:
    owner = match[0].lower() in ("his", "her")
    slot = "{name}" if match.start() % 3 else "{first}" if match.start() % 2 else "{last}"
    return slot + ("'s" if owner or match[0].endswith("'s") else "")
