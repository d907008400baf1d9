"""What the page says of groups of calls: who fares differently from the others, beyond chance."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from services.console.console import Row
from services.console.measures import LOWER_IS_WORSE
from services.shared.aggregate import Aggregate
from services.shared.disparity import FOUR_FIFTHS, disparities

MOST = 12
MINIMUM_COUNT = 20
_SUMS = {field.name for field in fields(Aggregate)}


def groups(rows: Iterable[Row], colours: Mapping[str, int]) -> dict[str, Any]:
    """How many groups were compared, and those that differ, the largest difference first.

    `rows` are the sums of each version, metric and `attribute=value`. A group differs where the interval of the
    difference excludes 0 at 95 % shared among all groups that are compared (Bonferroni).
    """
    sums: dict[tuple[str, str, str], dict[str, Aggregate]] = defaultdict(dict)
    for row in rows:
        attribute, _, value = row["group"].partition("=")
        aggregate = Aggregate(**{name: found for name, found in row.items() if name in _SUMS})
        sums[row["version"], row["metric"], attribute][value] = aggregate
    alpha = 0.05 / max(1, sum(len(values) for values in sums.values()))
    compared: list[dict[str, Any]] = [
        {"version": version, "metric": metric, "attribute": attribute, "found": found}
        for (version, metric, attribute), values in sums.items()
        for found in disparities(
            values,
            minimum_count=MINIMUM_COUNT,
            alpha=alpha,
            favourable="labelled" if metric in LOWER_IS_WORSE else "unlabelled",
        )
    ]
    differing = [each for each in compared if _excludes_zero(each)]
    differing.sort(key=lambda each: -abs(each["found"].difference.estimate))
    return {
        "compared": len(compared),
        "differing": [{**each, "colour": colours.get(each["version"], 0)} for each in differing[:MOST]],
        "four_fifths": FOUR_FIFTHS,
    }


def _excludes_zero(compared: Mapping[str, Any]) -> bool:
    difference = compared["found"].difference
    return bool(difference.low > 0 or difference.high < 0)
