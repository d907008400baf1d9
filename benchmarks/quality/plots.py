"""Curves of each metric: ROC and calibration, one line a source."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

SETTINGS: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "quality", "font.size": 8, "lines.linewidth": 1.1}
TABLEAU = ("blue", "orange", "green", "red", "purple", "brown", "pink", "gray", "olive", "cyan")
COLOURS = [*(f"tab:{name}" for name in TABLEAU), "k", "b", "g", "r", "c", "m", "y", "navy", "teal", "gold"]
LINES = len(COLOURS)
PERFECT = 0.995  # where no source is below it there is nothing to see


def shown(found: Mapping[str, Any]) -> dict[str, list[str]]:
    """The metrics of each scorer that have a plot: those that rank, and not without fault."""
    names: dict[str, list[str]] = {}
    for service, told in found.items():
        least: dict[str, float] = {}
        for source in told["sources"]:
            if "roc" in source:
                least[source["metric"]] = min(source["auroc"], least.get(source["metric"], 1.0))
        names[service] = [metric for metric, area in least.items() if area < PERFECT]
    return names


def draw(found: Mapping[str, Any], folder: Path) -> None:
    """Writes an SVG a metric to `folder`, and removes what is there besides; the same figures give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.svg"):
        path.unlink()
    for service, metrics in shown(found).items():
        for metric in metrics:
            ranked = [each for each in found[service]["sources"] if each["metric"] == metric and "roc" in each]
            with mpl.rc_context(SETTINGS):
                _figure(metric, ranked[:LINES]).savefig(
                    folder / f"{metric}.svg", metadata={"Date": None, "Creator": None}
                )


def _figure(metric: str, sources: list[dict[str, Any]]) -> Figure:
    figure = Figure(figsize=(8.4, 3.4), layout="constrained")
    ranking, calibrated = figure.subplots(1, 2)
    for axes in (ranking, calibrated):
        axes.set_prop_cycle(color=COLOURS)
    for source in sources:
        falsely, rightly = zip(*source["roc"], strict=True)
        ranking.plot(falsely, rightly, label=f"{source['name']} ({source['standing']})")
        if "calibration_curve" in source:
            values, shares, _ = zip(*source["calibration_curve"], strict=True)
            calibrated.plot(values, shares, marker=".")
    _labelled(ranking, metric, "good rows flagged", "bad rows flagged")
    _labelled(calibrated, "calibration", "mean probability of a tenth of the rows", "share of bad rows")
    figure.legend(loc="outside right upper", frameon=False, fontsize=6.5)
    return figure


def _labelled(axes: Axes, title: str, across: str, up: str) -> None:
    axes.plot([0, 1], [0, 1], color="0.8", linestyle=":", zorder=0)
    axes.set(title=title, xlabel=across, ylabel=up, xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
