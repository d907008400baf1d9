"""What the page says of every metric: its mean for each version, and from which end its worst calls are listed."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.console.console import Row

# The scorers say which way is worse; a test holds this list against them, since services do not import each other.
LOWER_IS_WORSE = frozenset(
    {
        "bleu", "cached_input_share", "chrf", "exact_match", "feedback", "format_repairability", "format_validity",
        "readability", "reference_similarity", "rouge_1", "rouge_2", "rouge_l", "token_f1", "tokens_per_second",
    }
)  # fmt: skip


def measures(rows: Iterable[Row], colours: Mapping[str, int]) -> dict[str, Any]:
    """The table: versions in the order of their colours, and for each metric one cell a version, None without calls.

    `rows` are sums of windows: `version`, `metric`, `evaluator`, `count`, `weight`, `weighted_sum`, `labelled_weight`.
    """
    found: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        if row["weight"]:
            found.setdefault((row["evaluator"], row["metric"]), {})[row["version"]] = row
    seen = {version for cells in found.values() for version in cells}
    versions = sorted(seen, key=lambda version: (colours.get(version, len(colours)), version))
    return {
        "versions": [{"version": version, "colour": colours.get(version, 0)} for version in versions],
        "measures": [
            {
                "metric": metric,
                "evaluator": evaluator,
                "cells": [_cell(cells[version]) if version in cells else None for version in versions],
            }
            for (evaluator, metric), cells in sorted(found.items())
        ],
    }


def _cell(row: Row) -> dict[str, Any]:
    share = row["labelled_weight"] / row["weight"]
    return {"calls": row["count"], "mean": row["weighted_sum"] / row["weight"], "labelled": share or None}
