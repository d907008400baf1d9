"""Tables of the quality report."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Source = Mapping[str, Any]
WORST = 2  # slices of a kind that are told


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown; what is missing is a dash."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join('–' if cell is None else str(cell) for cell in line)} |" for line in lines) + "\n"


def figure(value: float | None) -> str | None:
    """Three digits, without the leading zero.

    >>> figure(0.9), figure(1.0), figure(None)
    ('.900', '1.000', None)
    """
    return None if value is None else f"{value:.3f}".removeprefix("0")


def percent(value: float | None) -> str | None:
    """A share in percent.

    >>> percent(0.0123)
    '1.2 %'
    """
    return None if value is None else f"{100 * value:.1f} %"


def ranking(sources: Sequence[Source]) -> str:
    """What the scorer is worth."""
    head = ("metric", "source", "standing", "rows (bad)", "AUROC", "within lengths", "AP", "ECE", "good flagged",
            "bad flagged", "F1")  # fmt: skip
    return table(head, [
        (f"`{each['metric']}`", each["name"], each["standing"], f"{each['rows']} ({each['bad']})",
         f"{figure(each['auroc'])} ± {figure(each['auroc_error'])}", figure(each["auroc_within_lengths"]),
         figure(each["average_precision"]), figure(each.get("calibration_error")),
         percent(each["flagged_good"]), percent(each["flagged_bad"]), figure(each["f1"]))
        for each in sources
    ])  # fmt: skip


def beside(sources: Sequence[Source]) -> str:
    """The scorer and the baselines: AUROC, and its mean within lengths."""
    names = list(dict.fromkeys(name for each in sources for name in each["baselines"]))
    head = ("metric", "source", "scorer", *names)
    return table(head, [
        (f"`{each['metric']}`", each["name"], _both(each),
         *(_both(each["baselines"].get(name), against=each["auroc"]) for name in names))
        for each in sources
    ])  # fmt: skip


def _both(told: Source | None, against: float = 1.0) -> str | None:
    if told is None:
        return None
    area, within = figure(told["auroc"]), figure(told["auroc_within_lengths"])
    return f"{f'**{area}**' if told['auroc'] > against else area} ({within or '–'})"


def by_length(sources: Sequence[Source]) -> str:
    """AUROC in each fifth; beneath it the best baseline there."""
    head = ("metric", "source", "shortest", "2", "3", "4", "longest")
    return table(head, [
        (f"`{each['metric']}`", each["name"], *(_fifth(each, number) for number in range(5))) for each in sources
    ]) + "\nScorer / best baseline of that fifth.\n"  # fmt: skip


def _fifth(source: Source, number: int) -> str | None:
    own = source["by_length"][number]["auroc"]
    if own is None:
        return None
    best = max((theirs["auroc_by_length"][number] for theirs in source["baselines"].values()), default=None)
    told = figure(best)
    return f"{figure(own)} / {f'**{told}**' if best is not None and best > own else told}"


def clean(sources: Sequence[Source]) -> str:
    """Flags of text that is fine."""
    head = ("metric", "source", "standing", "rows", "flagged", "by fifths of length, shortest first")
    return table(head, [
        (f"`{each['metric']}`", each["name"], each["standing"], each["rows"], percent(each["flagged_good"]),
         ", ".join(percent(part["flagged_good"]) or "–" for part in each["by_length"]))
        for each in sources
    ])  # fmt: skip


def worst_slices(sources: Sequence[Source]) -> str:
    """Of each source and kind of slice those with most good rows flagged, and that of least AUROC."""
    rows: list[Sequence[object]] = []
    for each in sources:
        for kind, slices in each["slices"].items():
            flagged = sorted(
                ((told["flagged_good"], name) for name, told in slices.items() if told["flagged_good"] is not None),
                reverse=True,
            )[:WORST]
            ranked = sorted((told["auroc"], name) for name, told in slices.items() if told["auroc"] is not None)[:WORST]
            if len(slices) > 1 and (len(flagged) > 1 or len(ranked) > 1):
                rows.append((f"`{each['metric']}`", each["name"], kind, len(slices),
                             ", ".join(f"{name} {percent(value)}" for value, name in flagged) or None,
                             ", ".join(f"{name} {figure(value)}" for value, name in ranked) or None))  # fmt: skip
    head = ("metric", "source", "sliced by", "slices", "most good rows flagged", "least AUROC")
    return table(head, rows) + "\nSlices of at least 20 rows.\n" if rows else ""


def pairs(sources: Sequence[Source]) -> str:
    """How often the bad one of a pair ranks above the good one."""
    found = [each for each in sources if each["pairs"]]
    head = ("metric", "source", "pairs", "bad one ranked above")
    rows = [(f"`{each['metric']}`", each["name"], each["pairs"]["pairs"], figure(each["pairs"]["ranked_right"]))
            for each in found]  # fmt: skip
    return table(head, rows) if found else ""


def notes(sources: Sequence[Source]) -> str:
    """What has to be known of a source, said once."""
    found: dict[str, list[str]] = {}
    for each in sources:
        if each["note"] and each["name"] not in found.setdefault(each["note"], []):
            found[each["note"]].append(each["name"])
    return "\n".join(f"- {', '.join(names)}: {note}." for note, names in found.items())
