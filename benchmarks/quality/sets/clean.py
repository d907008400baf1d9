"""Texts that no scorer should flag, by where they come from."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.quality.rows import Row, distinct, read
from services.shared.identity_terms import mentions


def prompts(data: Path) -> Mapping[str, list[str]]:
    """Prompts of which no guard or toxicity head has learnt, but `model_versions`: guard's injection knows these."""
    return {
        "model_versions": distinct([row["prompt"] for row in read(data, "model_versions")]),
        "rag_human": distinct([row["prompt"] for row in read(data, "rag_human")]),
        "begin_wow": _dialogue(data, "prompt"),
    }


def responses(data: Path) -> Mapping[str, list[str]]:
    """Responses of models that no head has learnt from."""
    return {
        "model_versions": distinct([row["response"] for row in read(data, "model_versions")]),
        "rag_human": distinct([row["response"] for row in read(data, "rag_human")]),
        "begin_wow": _dialogue(data, "response"),
    }


def languages(data: Path) -> list[tuple[str, str]]:
    """Language and text, twenty languages."""
    return [(row["lang"], row["text"]) for row in read(data, "drift_language")]


def rows(texts: Sequence[str], field: str) -> list[Row]:
    """Each text as the only field of a call that is fine, with the kind of group that it names first, if any."""
    return [Row({field: text}, text, 0, group(text)) for text in texts]


def group(text: str) -> Mapping[str, str]:
    """The slice by the kind of group that a text names first; none where it names nobody."""
    first = next(mentions(text), None)
    return {"identity": first.kind} if first else {}


def _dialogue(data: Path, field: str) -> list[str]:
    return distinct([row[field] for row in read(data, "hallucination") if row["source"] == "begin_wow"])
