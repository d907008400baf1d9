"""The texts at hand, by what they are."""

import pydoc_data.topics
import random
import re
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

from services.shared.training_rows import rows

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def held_out(text: str) -> bool:
    """Whether a text is for measuring only: one in five, by its content."""
    return crc32(text.encode("utf-8", "replace")) % 5 == 0


def distinct(texts: Sequence[str]) -> list[str]:
    """The texts once each, in order."""
    return list(dict.fromkeys(text for text in texts if text.strip()))


def documents(data: Path) -> dict[str, list[str]]:
    """Texts that applications retrieve, by source; none has an instruction for an assistant hidden in it."""
    edits: dict[str, list[str]] = {}
    for row in rows(data, "grounded_edits"):
        edits.setdefault(f"edits_{row['domain']}", []).append(row["context"])
    grounded = [row["prompt"] for row in rows(data, "grounded") if row["source"] != "cosmos_qa"]
    injection = [row for row in rows(data, "injection") if row["source"] == "bipia_clean"]
    answers = [row["response"] for row in rows(data, "instructions") if len(row["response"]) > 300]
    found = {
        **edits,
        "passages": [_body(text) for text in grounded if len(_body(text)) > 200],
        "retrieved": [row["context"] for row in rows(data, "rag_human")],
        "long_answers": [row["context"] for row in rows(data, "grounded_long")],
        "bipia": [row["text"] for row in injection],
        "how_to": answers,
        "python_reference": list(pydoc_data.topics.topics.values()),
    }
    return {source: [text[:6000] for text in distinct(texts)] for source, texts in found.items()}


def assembled(pool: Sequence[str], choose: random.Random) -> str:
    """A document as retrieval puts one together: two to eight pieces, each a few sentences of another document."""
    pieces = []
    for text in choose.sample(pool, choose.randint(2, 8)):
        sentences = _SENTENCE_END.split(text.strip())
        start = choose.randrange(len(sentences))
        pieces.append(" ".join(sentences[start : start + choose.randint(1, 3)])[:600])
    return choose.choice((" ", "\n", "\n\n")).join(pieces)


def _body(prompt: str) -> str:
    """The passage in a prompt: its longest line."""
    return max(prompt.split("\n"), key=len)


def code() -> list[str]:
    """Pieces of Python's standard library of 200 to 2,000 characters."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    pieces = []
    for number, path in enumerate(sorted(folder.glob("*.py"))):
        lines = path.read_text(errors="replace").split("\n")
        size = (8, 20, 40)[number % 3]
        pieces += ["\n".join(lines[at : at + size])[:2000] for at in range(20, min(len(lines), 600), 60)]
    return [piece for piece in pieces if len(piece) > 200]


def languages(data: Path) -> dict[str, list[str]]:
    """Sentences in twenty languages."""
    found: dict[str, list[str]] = {}
    for row in rows(data, "drift_language"):
        found.setdefault(row["lang"], []).append(row["text"])
    return found


def attacks_of_bipia(data: Path) -> list[str]:
    """What was added to the documents of BIPIA: each text without the clean one that it holds."""
    found = rows(data, "injection")
    clean = sorted({row["text"] for row in found if row["source"] == "bipia_clean"}, key=len, reverse=True)
    added = []
    for row in found:
        if row["source"] == "bipia_injected":
            host = next((text for text in clean if text in row["text"]), None)
            added += [row["text"].replace(host, " ").strip()] if host else []
    return [text for text in distinct(added) if len(text) < 1200]
