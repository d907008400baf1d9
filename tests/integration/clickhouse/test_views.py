"""The views that analysts ask for costs and for disparity say what the services say."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from schemas.messages import Call, Tokens
from schemas.topics import CALLS, SCORES, WINDOWS
from services.latency.latency import LatencyScorer
from services.latency.prices import Prices
from services.shared.aggregate import merge
from services.shared.disparity import disparities
from services.windower.windower import Partition
from tests.support.engine import store, with_tables

pytestmark = pytest.mark.embedded
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BETWEEN = "since = '2026-03-01 00:00:00', until = '2026-03-02 00:00:00'"
LISTED = "{{version: '{version}', prices: [{{model: m, since: 2025-01-01, input: {price}, output: 0}}]}}"
LANGUAGES = ("en", "de", "fr=ca")


def a_call(number, **fields):
    given = {"tenant": "t", "app": "a", "environment": "e", "version": "1", "user_id": f"user {number % 3}"}
    return Call(call_id=UUID(int=number), called_at=NOON + timedelta(seconds=number / 10), **{**given, **fields})


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with with_tables(tmp_path_factory.mktemp("engine")) as found:
        yield found.client()


def rows(client, query):
    found = client.query(query)
    return [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]


def test_a_call_costs_what_its_newest_price_list_says_and_once(client):
    calls = [a_call(n, answering_model="m", tokens=Tokens(input=1_000_000, output=0)) for n in range(1, 7)]
    calls.append(a_call(7, answering_model="unknown", tokens=Tokens(input=1, output=1)))
    store(client, CALLS, calls)
    for version, price in (("2025", 1.0), ("2026", 2.0)):
        scorer = LatencyScorer(Prices.parse(LISTED.format(version=version, price=price)))
        store(client, SCORES, list(scorer.score(calls)))
    found = rows(
        client, f"SELECT user_id, count() AS calls, sum(cost_usd) AS usd FROM costs({BETWEEN}) GROUP BY 1 ORDER BY 1"
    )
    assert [(row["calls"], row["usd"]) for row in found] == [(2, 4.0), (3, 4.0), (2, 4.0)]
    unpriced = rows(client, f"SELECT call_id, inclusion_probability FROM costs({BETWEEN}) WHERE cost_usd IS NULL")
    assert unpriced == [{"call_id": UUID(int=7), "inclusion_probability": 1.0}]
    assert rows(
        client, "SELECT count() AS n FROM costs(since = '2026-03-02 00:00:00', until = '2026-03-03 00:00:00')"
    ) == [{"n": 0}]


def test_calls_of_two_tenants_with_one_id_cost_each_its_own(client):
    scorer = LatencyScorer(Prices.parse(LISTED.format(version="1", price=1.0)))
    calls = [
        a_call(8, tenant=tenant, answering_model="m", tokens=Tokens(input=millions * 1_000_000, output=0))
        for tenant, millions in (("one", 1), ("two", 5))
    ]
    store(client, CALLS, calls)
    store(client, SCORES, list(scorer.score(calls)))
    query = f"SELECT tenant, cost_usd FROM costs({BETWEEN}) WHERE tenant IN ('one', 'two') ORDER BY tenant"
    assert rows(client, query) == [{"tenant": "one", "cost_usd": 1.0}, {"tenant": "two", "cost_usd": 5.0}]


def test_disparities_are_those_that_rules_judge(client):
    scorer, partition = LatencyScorer(Prices.load()), Partition(0, (60,))
    calls = [
        a_call(
            n,
            groups={"language": LANGUAGES[n % 3], "plan": "free" if n % 2 else "paid"},
            error={"kind": "timeout"} if n % 11 == 0 or n % 6 == 2 else None,
            inclusion_probability=(1.0, 0.5, 0.25, 0.125)[n % 4],
        )
        for n in range(1000, 3000)
    ]
    calls = [Call.decode(call.encode()) for call in calls]
    for offset, score in enumerate(scorer.score(calls)):
        partition.add(score, offset)
    windows = list(partition.tick((NOON + timedelta(hours=1)).timestamp()))
    assert len({window.window_start for window in windows}) == 3
    store(client, WINDOWS, windows)
    found = {
        row["value"]: row
        for row in rows(
            client, f"SELECT * FROM disparities({BETWEEN}) WHERE metric = 'error' AND attribute = 'language'"
        )
    }
    parts = {
        language: merge(w for w in windows if w.metric == "error" and w.group == f"language={language}")
        for language in LANGUAGES
    }
    expected = disparities(parts)
    assert sorted(found) == [each.value for each in expected] == sorted(LANGUAGES)
    for each in expected:
        row = found[each.value]
        assert (row["count"], row["other_count"]) == (each.own.count, each.others.count)
        assert [row["difference"], row["difference_low"], row["difference_high"], row["ratio"]] == pytest.approx(
            [*each.difference, each.ratio.estimate], rel=1e-9
        )
