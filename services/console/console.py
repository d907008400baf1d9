"""What the page shows: lines over time, marks, marked sentences and timelines, from rows of the store."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from operator import itemgetter
from typing import Any, NamedTuple

LABELS = 30  # side by side in the width of a chart, at most
POINTS = 180  # per chart: more than one point in three pixels is noise

Row = Mapping[str, Any]


class ChartKind(NamedTuple):
    """One chart of the page."""

    name: str
    title: str
    explanation: str
    unit: str  # "1/s", "s", "share" or "1"


CHARTS = (
    ChartKind("calls", "Calls per second", "by version", "1/s"),
    ChartKind("latency", "Latency", "percentiles of the duration, all versions", "s"),
    ChartKind("toxicity", "Toxicity", "mean probability that a response is toxic, by version", "share"),
    ChartKind("groundedness", "Groundedness", "mean support of the response by its context, by version", "share"),
    ChartKind("drift", "Drift", "squared MMD to the reference; dashed: responses", "1"),
    ChartKind("errors", "Errors", "share of calls that failed, by version", "share"),
)


class WorstMetric(NamedTuple):
    """A metric that the worst calls can be listed by, and the text its evidence lies in."""

    name: str
    title: str


WORST_METRICS = (
    WorstMetric("response_toxicity", "toxic response"),
    WorstMetric("hallucination", "unsupported response"),
    WorstMetric("prompt_toxicity", "toxic prompt"),
    WorstMetric("response_bias", "stereotyped response"),
    WorstMetric("prompt_injection", "injection in the prompt"),
    WorstMetric("context_injection", "injection in a document"),
    WorstMetric("prompt_pii", "personal data in the prompt"),
    WorstMetric("system_prompt_leak", "leaked system prompt"),
    WorstMetric("duration_seconds", "slow"),
)


@dataclass(frozen=True)
class Range:
    """A span of time cut into equal steps; seconds since the epoch, aligned to the step."""

    start: int
    stop: int
    step: int

    @classmethod
    def last(cls, seconds: int, now: datetime, least: int = 5) -> "Range":
        """The newest `seconds`, in at most about `POINTS` steps of at least `least` seconds."""
        step = max(least, seconds // POINTS)
        stop = int(now.timestamp()) // step * step
        return cls(start=stop - seconds // step * step, stop=stop, step=step)

    @property
    def times(self) -> list[int]:
        """The start of every step."""
        return list(range(self.start, self.stop, self.step))


def line(name: str, points: Mapping[int, float | None], span: Range, **style: Any) -> dict[str, Any]:
    """One line of a chart: `points` maps the start of a step to its value; what is missing stays a gap."""
    return {"name": name, "values": [points.get(time) for time in span.times], **style}


def call_lines(rows: Iterable[Row], colours: Mapping[str, int], span: Range) -> list[dict[str, Any]]:
    """Calls per second of each version; a step without calls is zero while the version served, a gap outside."""
    counted: dict[str, dict[int, int]] = {}
    for row in rows:
        counted.setdefault(row["version"], {})[row["at"]] = row["calls"]
    return [line(version, _rates(calls, span), span, colour=colours.get(version)) for version, calls in counted.items()]


def _rates(calls: Mapping[int, int], span: Range) -> dict[int, float | None]:
    first, last = min(calls), max(calls)
    return {time: calls.get(time, 0) / span.step for time in span.times if first <= time <= last}


def mean_lines(
    rows: Iterable[Row],
    metric: str,
    colours: Mapping[str, int],
    span: Range,
    *,
    inverted: bool = False,
    suffix: str = "",
    **style: Any,
) -> list[dict[str, Any]]:
    """The weighted mean of a metric for each version; `inverted` shows 1 minus it."""
    found: dict[str, dict[int, float | None]] = {}
    for row in rows:
        if row["metric"] == metric and row["weight"]:
            mean = row["weighted_sum"] / row["weight"]
            found.setdefault(row["version"], {})[row["at"]] = 1 - mean if inverted else mean
    return [
        line(name + suffix, points, span, colour=colours.get(name), **style) for name, points in sorted(found.items())
    ]


def percentile_lines(rows: Iterable[Row], metric: str, span: Range) -> list[dict[str, Any]]:
    """p50, p95 and p99 of a metric over all versions, from merged sketches."""
    merged: dict[int, Row] = {row["at"]: row for row in rows if row["metric"] == metric}
    return [
        line(
            f"p{share:g}", {at: quantile(row["positive"], row["zero"], share / 100) for at, row in merged.items()}, span
        )
        for share in (50, 95, 99)
    ]


def quantile(positive: Mapping[int, float], zero: float, share: float, alpha: float = 0.01) -> float | None:
    """The `share` quantile of non-negative values in a DDSketch, within `alpha` relative; None when it is empty.

    >>> quantile({0: 1.0}, 3.0, 0.5)
    0.0
    """
    rank = share * (zero + sum(positive.values()))
    if not rank:
        return None
    seen = zero
    if seen >= rank:
        return 0.0
    gamma = (1 + alpha) / (1 - alpha)
    for index in sorted(positive):
        seen += positive[index]
        if seen >= rank:
            break
    return float(2 * gamma**index / (gamma + 1))


class Part(NamedTuple):
    """A piece of a text, marked or not."""

    text: str
    marked: bool
    kind: str


def highlight(text: str, spans: Iterable[tuple[int, int, str]]) -> list[Part]:
    """The text in pieces, those inside a span marked; overlapping spans merge, spans outside the text are cut.

    >>> [part.text for part in highlight("You fool. Yes.", [(0, 9, "abuse")])]
    ['You fool.', ' Yes.']
    """
    parts: list[Part] = []
    done = 0
    for first, last, kind in sorted(spans):
        start, end = max(first, done), min(last, len(text))
        if start < end:
            parts += [Part(text[done:start], False, ""), Part(text[start:end], True, kind)]
            done = end
    parts.append(Part(text[done:], False, ""))
    return [part for part in parts if part.text]


def marks(deployments: Iterable[Row], alerts: Iterable[Row], span: Range) -> list[dict[str, Any]]:
    """What happened, as vertical lines, oldest first; what happened at about the same time shares a line."""
    deployed = (
        {
            "time": row["deployed_at"].timestamp(),
            "kind": "rollback" if row["decision_id"] else "deployment",
            "label": f"{'back to ' if row['decision_id'] else ''}{row['version']}",
        }
        for row in deployments
    )
    # Of an alert that fires and grows worse the first change is the mark.
    begun = {(row["alert_id"], row["state"]): row for row in sorted(alerts, key=itemgetter("changed_at"), reverse=True)}
    fired = (
        {
            "time": row["changed_at"].timestamp(),
            "kind": "alert" if state == "firing" else "resolved",
            "label": row["rule"],
        }
        for (_, state), row in begun.items()
    )
    here = [mark for mark in (*deployed, *fired) if mark["time"] >= span.start]
    found = sorted(here, key=lambda mark: mark["time"])
    near = (span.stop - span.start) / LABELS
    groups: list[list[dict[str, Any]]] = []
    for mark in found:
        same = next((group for group in reversed(groups) if group[0]["kind"] == mark["kind"]), None)
        if same and mark["time"] - same[0]["time"] < near:
            same.append(mark)
        else:
            groups.append([mark])
    return [_joined(group) for group in groups]


def _joined(same: Sequence[dict[str, Any]]) -> dict[str, Any]:
    kind, label = same[0]["kind"], same[0]["label"]
    if kind == "resolved":
        label = ""  # that it is over matters less than that it was: the line alone says it
    elif len(same) > 1:
        label = f"{len(same)} {kind}s"
    return {**same[0], "label": label}


def alert_cards(changes: Sequence[Row], decisions: Sequence[Row], colours: Mapping[str, int]) -> list[dict[str, Any]]:
    """One card an alert, newest first: how bad it became, why it ended, and what happened in order of time."""
    occurrences: dict[Any, list[Row]] = {}
    for change in sorted(changes, key=lambda row: row["changed_at"]):
        occurrences.setdefault(change["alert_id"], []).append(change)
    cards = [_alert_card(found, decisions, colours) for found in occurrences.values()]
    return sorted(cards, key=lambda card: card["timeline"][0]["at"], reverse=True)


def _alert_card(changes: Sequence[Row], decisions: Sequence[Row], colours: Mapping[str, int]) -> dict[str, Any]:
    first, newest = changes[0], changes[-1]
    began = {"at": first["first_window_start"], "what": "the first bad window began"}
    happened = [
        {"at": row["changed_at"], "what": "grew worse" if row["state"] == before["state"] == "firing" else row["state"]}
        for before, row in pairwise([{"state": ""}, *changes])
    ]
    acted = [
        {"at": step["changed_at"], "what": f"{step['kind']} {step['state']} by {step['actor']}"}
        for step in decisions
        if step["alert_id"] == first["alert_id"]
    ]
    timeline = sorted([began, *happened, *acted], key=lambda step: step["at"])
    worst = next((row for row in reversed(changes) if row["state"] == "firing"), newest)
    over = "" if newest is worst else newest["summary"]
    return {
        **worst,
        "state": newest["state"],
        "over": over,
        "colour": colours.get(first["version"], 0),
        "timeline": timeline,
    }


def decision_cards(outcomes: Sequence[Row], colours: Mapping[str, int]) -> list[dict[str, Any]]:
    """One card a decision, newest first: its state, why, and every step."""
    decisions: dict[Any, list[Row]] = {}
    for outcome in sorted(outcomes, key=lambda row: (row["changed_at"], row["step"])):
        decisions.setdefault(outcome["decision_id"], []).append(outcome)
    return [_decision_card(steps, colours) for steps in reversed(decisions.values())]


def _decision_card(steps: Sequence[Row], colours: Mapping[str, int]) -> dict[str, Any]:
    first, newest = steps[0], steps[-1]
    return {
        **newest,
        "why": first["reason"],
        "from_colour": colours.get(first["from_version"], 0),
        "to_colour": colours.get(first["to_version"], 0),
        "steps": steps,
    }
