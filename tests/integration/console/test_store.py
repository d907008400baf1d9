"""What the page asks of the engine, on windows that are stored."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.ids import uuid7
from schemas.messages import Score, Segment, Sketch, Window
from schemas.topics import CALLS, SCORES, WINDOWS
from services.console.console import Range
from services.console.store import Store
from tests.support.engine import store, with_tables
from tests.support.messages import a_call

pytestmark = pytest.mark.embedded
SEGMENT = Segment(tenant="acme", app="shop", environment="production", version="v1")
TARGET = {"tenant": "acme", "app": "shop", "environment": "production"}


def a_window(at, metric, evaluator_version, count, **fields):
    sums = {"count": count, "labelled": count, "weight": float(count), "labelled_weight": float(count)}
    return Window(
        window_id=uuid7(),
        metric=metric,
        evaluator_version=evaluator_version,
        window_start=at,
        window_end=at + timedelta(seconds=fields.get("interval_seconds", 60)),
        source_partition=0,
        **{"segment": SEGMENT, "interval_seconds": 60, "evaluator": "toxicity", **sums, **fields},
    )


def a_score(call, evaluator_version, value):
    return Score(
        score_id=uuid7(),
        call_id=call.call_id,
        segment=SEGMENT,
        called_at=call.called_at,
        metric="response_toxicity",
        status="scored",
        value=value,
        label=value > 0.5,
        evaluator="toxicity",
        evaluator_version=evaluator_version,
    )


def changed(at):
    """Windows of 5 s, then of a minute; and five minutes of those made again with 10 s, beside them."""
    segment = Segment(tenant="acme", app="changed", environment="production", version="v1")
    five = [(at - timedelta(hours=2) + timedelta(seconds=5 * n), 5) for n in range(720)]
    minutes = [(at - timedelta(hours=1) + timedelta(minutes=n), 60) for n in range(60)]
    again = [(at - timedelta(minutes=50) + timedelta(seconds=10 * n), 10) for n in range(30)]
    beside = [(at - timedelta(hours=2), 60)]  # holds windows of 5 s
    for start, seconds in [*five, *minutes, *again, *beside]:
        shared = {"interval_seconds": seconds, "segment": segment, "weighted_sum": float(seconds)}
        for group in ("", "plan=free"):
            yield a_window(start, "response_toxicity", "1", seconds, group=group, **shared)
        sketch = Sketch(positive={0: float(seconds)})
        yield a_window(start, "duration_seconds", "1", seconds, evaluator="latency", sketch=sketch, **shared)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    at = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=30)
    windows = [a_window(at, "duration_seconds", "1", 100, evaluator="latency")]
    for evaluator_version, count in (("1", 60), ("2", 100)):
        windows.append(a_window(at, "response_toxicity", evaluator_version, count))
        # the version with fewer calls has more of one group
        for group, share in (("plan=free", 1.0 if evaluator_version == "1" else 0.2), ("plan=paid", 0.2)):
            windows.append(a_window(at, "response_toxicity", evaluator_version, int(count * share), group=group))
    windows.append(a_window(at, "response_toxicity", "9", 90, evaluator="people"))
    windows.extend(changed(at))
    calls = [a_call(called_at=at, tenant="acme", app="shop", environment="production", version="v1") for _ in range(6)]
    scores = [a_score(call, "1", 0.1) for call in calls[:5]] + [a_score(call, "2", 0.9) for call in calls]
    for seconds, version in enumerate(("v2", "v1", "v2")):
        elsewhere = {"tenant": "acme", "app": "coloured", "environment": "production", "version": version}
        calls.append(a_call(called_at=at + timedelta(seconds=seconds), **elsewhere))
    with with_tables(tmp_path_factory.mktemp("engine")) as engine:
        client = engine.client()
        for topic, messages in ((WINDOWS, windows), (CALLS, calls), (SCORES, scores)):
            store(client, topic, messages)
        yield Store(lambda: client), Range(at.timestamp() - 600, at.timestamp() + 600, 60)


def test_a_measure_counts_a_call_once_for_each_evaluator_whatever_its_versions(found):
    console, span = found
    rows = [row for row in console.measures(TARGET, span) if row["metric"] == "response_toxicity"]
    assert sorted((row["evaluator"], row["count"]) for row in rows) == [("people", 90), ("toxicity", 100)]


def test_groups_are_compared_by_one_version_of_one_evaluator(found):
    console, span = found
    rows = {(row["metric"], row["group"]): row["count"] for row in console.groups(TARGET, span)}
    assert rows == {("response_toxicity", "plan=free"): 20, ("response_toxicity", "plan=paid"): 20}


def test_after_a_change_of_their_length_the_windows_are_shown_and_every_call_once(found):
    console, span = found
    target, stop = {**TARGET, "app": "changed"}, int(span.start) + 600
    whole = Range(stop - 7200, stop - 60, 60)
    assert console.interval(target, whole) == 60
    assert console.interval(target, Range(stop - 7200, stop - 3720, 60)) == 5
    charted = console.windows(target, whole, ["response_toxicity"])
    assert {row["at"]: row["weight"] for row in charted} == dict.fromkeys(range(stop - 7200, stop, 60), 60)
    assert [sum(row["positive"].values()) for row in console.durations(target, whole)] == [60] * 120
    assert {(row["metric"], row["count"]) for row in console.measures(target, whole)} == {
        ("response_toxicity", 7200),
        ("duration_seconds", 7200),
    }
    assert [row["count"] for row in console.groups(target, whole)] == [7200]


def test_windows_are_found_in_the_range_that_is_asked_for_however_old_they_are(found):
    console, span = found
    target = {**TARGET, "app": "quiet"}
    then = datetime.fromtimestamp(span.start + 600, UTC) - timedelta(days=9)
    segment = Segment(tenant="acme", app="quiet", environment="production", version="v1")
    store(console._connect(), WINDOWS, [a_window(then, "response_toxicity", "1", 7, segment=segment)])
    assert [row["count"] for row in console.measures(target, Range(span.start - 30 * 86_400, span.stop, 14_400))] == [7]


def test_versions_are_told_as_they_came(found):
    console, _ = found
    assert console.versions_seen({**TARGET, "app": "coloured"}) == ["v2", "v1"]
    assert console.versions_seen({**TARGET, "app": "unknown"}) == []


def test_a_call_that_two_versions_have_scored_counts_once_in_charts_and_rates_and_is_shown_once(found):
    console, span = found
    charted = console.windows(TARGET, span, ["response_toxicity"])
    assert [row["weight"] for row in charted] == [100]
    assert [row["toxicity"] for row in console.versions(TARGET, span)] == [1.0]
    for lowest in (False, True):
        worst = console.worst(TARGET, "response_toxicity", span.start, span.stop, lowest=lowest)
        assert len({row["call_id"] for row in worst}) == len(worst) == 6
