"""What the page shows, from rows."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from services.console import console
from services.console.console import Part, Range

NOON = datetime(2026, 3, 14, 12, 0, 3, tzinfo=UTC)
SPAN = Range(start=100, stop=120, step=5)


def test_a_range_is_aligned_to_its_step():
    span = Range.last(900, NOON)
    assert (span.step, span.stop % 5, len(span.times)) == (5, 0, 180)
    assert span.stop <= NOON.timestamp()


def test_a_step_without_calls_is_zero_while_the_version_served():
    rows = [{"version": "v1", "at": at, "calls": 10} for at in (100, 110)]
    (line,) = console.call_lines(rows, {"v1": 0}, SPAN)
    assert line["values"] == [2.0, 0.0, 2.0, None]


def test_a_step_without_scores_is_a_gap():
    rows = [{"version": "v1", "metric": "hallucination", "at": 110, "weight": 4.0, "weighted_sum": 1.0}]
    (line,) = console.mean_lines(rows, "hallucination", {"v1": 0}, SPAN, inverted=True)
    assert line["values"] == [None, None, 0.75, None]


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_a_quantile_is_within_one_percent(share):
    values = np.random.default_rng(3).lognormal(size=20_000)
    gamma = 1.01 / 0.99
    bins, counts = np.unique(np.ceil(np.log(values) / np.log(gamma)).astype(int), return_counts=True)
    sketch = dict(zip(bins.tolist(), counts.astype(float).tolist(), strict=True))
    exact = np.quantile(values, share, method="inverted_cdf")
    assert console.quantile(sketch, 0.0, share) == pytest.approx(exact, rel=0.0101)


def test_an_empty_sketch_has_no_quantile():
    assert console.quantile({}, 0.0, 0.5) is None


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], [Part("You fool. Yes.", False, "")]),
        ([(0, 9, "abuse")], [Part("You fool.", True, "abuse"), Part(" Yes.", False, "")]),
        ([(10, 99, "x")], [Part("You fool. ", False, ""), Part("Yes.", True, "x")]),
        ([(0, 5, "a"), (3, 9, "b")], [Part("You f", True, "a"), Part("ool.", True, "b"), Part(" Yes.", False, "")]),
    ],
)
def test_spans_are_marked(spans, expected):
    assert console.highlight("You fool. Yes.", spans) == expected


def _change(state, seconds, **fields):
    at = NOON + timedelta(seconds=seconds)
    return {
        "alert_id": "a",
        "rule": "toxicity",
        "version": "v2",
        "state": state,
        "severity": "critical",
        "summary": "",
        "first_window_start": NOON,
        "changed_at": at,
        **fields,
    }


def _step(state, seconds, step):
    return {
        "decision_id": "d",
        "alert_id": "a",
        "kind": "rollback",
        "state": state,
        "step": step,
        "actor": "rollback",
        "reason": f"because {state}",
        "from_version": "v2",
        "to_version": "v1",
        "changed_at": NOON + timedelta(seconds=seconds),
    }


def test_an_alert_tells_its_story_in_order():
    decided = [_step("proposed", 12, 0), _step("done", 30, 4)]
    (card,) = console.alert_cards([_change("resolved", 40), _change("firing", 11)], decided, {"v1": 0, "v2": 1})
    assert card["state"] == "resolved"
    assert [step["what"] for step in card["timeline"]] == [
        "the first bad window began",
        "firing",
        "rollback proposed by rollback",
        "rollback done by rollback",
        "resolved",
    ]


def test_an_alert_that_grew_worse_says_how_bad_it_is_and_is_one_mark():
    told = [_change("firing", 11, summary="is 0.16"), _change("firing", 40, summary="is now 0.95")]
    (card,) = console.alert_cards(told, [], {})
    assert (card["summary"], card["state"], card["over"]) == ("is now 0.95", "firing", "")
    (ended,) = console.alert_cards([*told, _change("resolved", 50, summary="v2 was replaced")], [], {})
    assert (ended["summary"], ended["state"], ended["over"]) == ("is now 0.95", "resolved", "v2 was replaced")
    assert [step["what"] for step in card["timeline"]][1:] == ["firing", "grew worse"]
    assert [(mark["kind"], mark["time"]) for mark in console.marks([], told, SPAN)] == [
        ("alert", told[0]["changed_at"].timestamp())
    ]


def test_a_decision_says_why_and_how_far_it_is():
    (card,) = console.decision_cards([_step("done", 30, 4), _step("proposed", 12, 0)], {"v1": 0, "v2": 1})
    assert (card["state"], card["why"], len(card["steps"])) == ("done", "because proposed", 2)


def test_marks_come_in_order_of_time():
    deployments = [{"deployed_at": NOON, "version": "v1", "decision_id": "d"}]
    alerts = [_change("firing", -5)]
    assert [(mark["kind"], mark["label"]) for mark in console.marks(deployments, alerts, SPAN)] == [
        ("alert", "toxicity"),
        ("rollback", "back to v1"),
    ]


def test_alerts_at_about_the_same_time_share_a_mark():
    alerts = [
        _change("firing", 0),
        _change("firing", 1, rule="errors", alert_id="b"),
        _change("firing", 60, alert_id="c"),
    ]
    minute = Range(start=0, stop=60, step=5)
    assert [mark["label"] for mark in console.marks([], alerts, minute)] == ["2 alerts", "toxicity"]
