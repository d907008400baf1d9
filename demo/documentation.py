"""The texts that the chatbot answers from: pydoc topics and docstrings of the standard library."""

import importlib
import inspect
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pydoc_data.topics import topics

MODULES = (
    "bisect calendar collections contextlib copy csv dataclasses datetime decimal difflib enum fnmatch fractions "
    "functools glob heapq itertools json math operator os.path pathlib pprint random re shutil statistics string "
    "tempfile textwrap time"
).split()
TOPICS = (
    "assert assignment async await booleans break class comparisons context-managers continue debugger del dict else "
    "exceptions for formatstrings function global if import lambda lists nonlocal numbers operator-summary pass raise "
    "return sequences slicings strings try typesmapping typesseq typesset unary while with yield"
).split()
LONGEST_PASSAGE = 700  # characters: about 150 tokens, which one pass of the encoder takes whole
SHORTEST_PASSAGE = 120
PER_MODULE = 7
BETWEEN_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'`(])")


@dataclass(frozen=True)
class Passage:
    """One piece of documentation: what it is about, where it stands, and its sentences."""

    name: str
    source: str
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        """The whole passage."""
        return " ".join(self.sentences)


def passages() -> list[Passage]:
    """Every passage once, in a fixed order; some topics share a text."""
    return list({passage.text: passage for passage in (*_topic_passages(), *_docstring_passages())}.values())


def _topic_passages() -> Iterator[Passage]:
    for name in TOPICS:
        if name in topics:
            title, _, body = topics[name].partition("\n\n")
            yield from _passage(title.splitlines()[0].strip(), f"pydoc {name}", body)


def _docstring_passages() -> Iterator[Passage]:
    for module_name in MODULES:
        module = importlib.import_module(module_name)
        found = (
            passage
            for name, member in _documented(module)
            for passage in _passage(f"{module_name}.{name}", module_name, inspect.getdoc(member) or "")
        )
        yield from (passage for passage, _ in zip(found, range(PER_MODULE), strict=False))


def _documented(module: object) -> Iterable[tuple[str, object]]:
    public = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    for name in public:
        member = getattr(module, name, None)
        if inspect.isclass(member) or inspect.isroutine(member):
            yield name, member


def _passage(name: str, source: str, text: str) -> Iterator[Passage]:
    """The prose at the head of `text`: signatures, grammars and examples say nothing that an answer could quote."""
    kept: list[str] = []
    for paragraph in _prose(text):
        for sentence in BETWEEN_SENTENCES.split(paragraph):
            if sum(map(len, kept)) + len(sentence) > LONGEST_PASSAGE:
                break
            if len(sentence) >= 20:
                kept.append(sentence)
    if sum(map(len, kept)) >= SHORTEST_PASSAGE:
        yield Passage(name, source, tuple(kept))


def _prose(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text):
        if paragraph.startswith((" ", "\t")) or ">>>" in paragraph or "::=" in paragraph or "->" in paragraph:
            continue
        flat = " ".join(paragraph.split())
        if not re.fullmatch(r"[-*=~^ ]*", flat):
            yield flat
