"""What the page asks of the engine, on windows that are stored."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.ids import uuid7
from schemas.messages import Segment, Window
from schemas.topics import WINDOWS
from services.console.console import Range
from services.console.store import Store
from tests.support.engine import store, with_tables

pytestmark = pytest.mark.embedded
SEGMENT = Segment(tenant="acme", app="shop", environment="production", version="v1")
TARGET = {"tenant": "acme", "app": "shop", "environment": "production"}


def a_window(at, metric, evaluator_version, count, **fields):
    sums = {"count": count, "labelled": count, "weight": float(count), "labelled_weight": float(count)}
    return Window(
        window_id=uuid7(),
        segment=SEGMENT,
        metric=metric,
        evaluator_version=evaluator_version,
        interval_seconds=60,
        window_start=at,
        window_end=at + timedelta(seconds=60),
        source_partition=0,
        **{"evaluator": "toxicity", **sums, **fields},
    )


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
    with with_tables(tmp_path_factory.mktemp("engine")) as engine:
        client = engine.client()
        store(client, WINDOWS, windows)
        yield Store(lambda: client), Range(at.timestamp() - 600, at.timestamp() + 600, 60)


def test_a_measure_counts_a_call_once_for_each_evaluator_whatever_its_versions(found):
    console, span = found
    rows = [row for row in console.measures(TARGET, span) if row["metric"] == "response_toxicity"]
    assert sorted((row["evaluator"], row["count"]) for row in rows) == [("people", 90), ("toxicity", 100)]


def test_groups_are_compared_by_one_version_of_one_evaluator(found):
    console, span = found
    rows = {(row["metric"], row["group"]): row["count"] for row in console.groups(TARGET, span)}
    assert rows == {("response_toxicity", "plan=free"): 20, ("response_toxicity", "plan=paid"): 20}
