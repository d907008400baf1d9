"""The figures as a page."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.quality import tables
from benchmarks.quality.spans import NAMED
from benchmarks.quality.tables import Source, figure, table

INTRODUCTION = Path(__file__).with_name("introduction.md")
SPEED = """Every metric of the scorer at once, on the calls below; texts that come again are answered by its caches.
Other load on the machine slows calls a second, and changes the CPU time of a call less.
"""
SPANS = """The evidence of `prompt_pii`. A span counts where the kind is the same and half of the characters are common.
The tagger has learnt from the whole of presidio-research. The sentences of this report are no template of training, but
their names come from lists that training drew from, too. Presidio, where it stands beside, is judged
by names and places only with a spaCy model (TIDEMARK_PRESIDIO_MODEL): none is on the package index."""
FORMED = "all but names and addresses (micro)"
FALSE_SPANS = "In text that should hold none; names and addresses stand apart, since some are true."


def written(found: Mapping[str, Any], plotted: Mapping[str, Sequence[str]]) -> str:
    """The page of every scorer that was measured; `plotted` are the metrics of each that have a plot."""
    parts = [INTRODUCTION.read_text(), _speed(found)]
    for service, told in found.items():
        parts += _scorer(service, told, plotted.get(service, ()))
    return "\n".join(part.rstrip() + "\n" for part in parts if part)


def _speed(found: Mapping[str, Any]) -> str:
    rows = [
        (service, told["rates"].get("calls"), told["rates"].get("calls_per_second"),
         told["rates"].get("processor_milliseconds_per_call"), told["machine"]["cores"], told["machine"]["load_before"])
        for service, told in found.items()
    ]  # fmt: skip
    head = ("scorer", "calls", "calls/s", "CPU ms a call", "cores", "load before")
    note = SPEED
    return f"## Speed\n\n{note}\n{table(head, rows)}"


def _scorer(service: str, told: Mapping[str, Any], plotted: Sequence[str]) -> Iterable[str]:
    sources: list[Source] = told["sources"]
    ranked = [source for source in sources if "auroc" in source]
    clean = [source for source in sources if source["bad"] == 0]
    yield f"## {service}\n\nAt most about {told['most']} rows of a source; evaluator version `{told['version']}`."
    if ranked:
        yield f"### Ranking\n\n{tables.ranking(ranked)}"
        yield f"### Baselines\n\n{tables.beside(ranked)}"
        yield f"### By length, a fifth of the rows each\n\n{tables.by_length(ranked)}"
    if clean:
        yield f"### Text that should not be flagged\n\n{tables.clean(clean)}"
    if worst := tables.worst_slices(sources):
        yield f"### Worst slices\n\n{worst}"
    if pairs := tables.pairs(ranked):
        yield f"### Pairs that differ in little but the label\n\n{pairs}"
    if "spans" in told:
        yield _spans(told["spans"])
    if "libraries" in told:
        yield _libraries(told["libraries"])
    if notes := tables.notes(sources):
        yield f"### Notes\n\n{notes}"
    if plotted:
        yield "\n\n".join(f"![ROC and calibration of {name}](../images/quality/{name}.svg)" for name in plotted)


def _spans(told: Mapping[str, Any]) -> str:
    peer = next((source["peer"]["name"] for source in told["labelled"] if "peer" in source), None)
    kinds = [
        (source["name"], source["standing"], source["rows"], kind, rates["spans"], *_rates(rates),
         *(_rates(_theirs(source, kind)) if peer else ()))
        for source in told["labelled"]
        for kind, rates in _by_kind(source).items()
        if rates["spans"]
    ]  # fmt: skip
    head = ("source", "standing", "rows", "kind", "spans", "precision", "recall", "F1")
    beside = (f"{peer}: precision", "recall", "F1") if peer else ()
    clean = [(each["name"], each["rows"], each["words"], each["other"], each["PERSON"], each["ADDRESS"])
             for each in told["clean"]]  # fmt: skip
    falsely = table(("clean text", "rows", "words", "spans in 1,000 words", "PERSON", "ADDRESS"), clean)
    both = table([*head, *beside], kinds)
    return f"### Personal data as spans\n\n{SPANS}\n\n{both}\n{FALSE_SPANS}\n\n{falsely}"


def _by_kind(told: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"all (micro)": told["all"], FORMED: told["formed"], **told["kinds"]}


def _theirs(source: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """What the peer reaches; nothing for kinds that it has no model of."""
    peer = source.get("peer")
    if peer is None or (not peer["model"] and kind in ("all (micro)", *NAMED)):
        return {}
    found: Mapping[str, Any] = _by_kind(peer)[kind]
    return found


def _rates(rates: Mapping[str, Any]) -> list[str | None]:
    return [figure(rates.get(name)) for name in ("precision", "recall", "f1")]


def _libraries(told: Sequence[Mapping[str, Any]]) -> str:
    rows = [(each["metric"], each["name"], each["rows"], each["not_scored"], _small(each["largest_difference"]))
            for each in told]  # fmt: skip
    head = ("metric", "source", "rows", "not scored", "largest absolute difference")
    return f"### Beside sacrebleu and rouge-score\n\n{table(head, rows)}"


def _small(value: float | None) -> str:
    return "–" if value is None else f"{value:.1e}" if value else "0"
