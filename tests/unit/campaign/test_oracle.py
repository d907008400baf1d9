"""The oracle sees what it is there to see: calls that went astray, scores that lack, samples that are none."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from schemas.ids import uuid7
from services.latency.latency import METRICS
from services.shared.sampling import place_of
from services.windower.config import Config
from services.writer.verification import Verdict
from tests.support.campaign import oracle
from tests.support.campaign.oracle import complaints, miscounted, no_sample, not_whole, sampled_wrongly, unscored

VERDICT = Verdict(acknowledged=5, stored=5, dead_lettered=0, lost=0, duplicates=0, pending=0)
STATS = {"dropped": 0, "rejected": 0, "acknowledged": 5}

STORED = [uuid7() for _ in range(4000)]


def taken(rate):
    return {call_id: rate for call_id in STORED if place_of(call_id) < rate}


@pytest.mark.parametrize("rate", [1.0, 0.5, 0.125])
def test_a_whole_sample_is_one(rate):
    assert not no_sample(taken(rate), STORED)


def test_rates_that_change_in_between_make_a_sample_of_both():
    mixed = {call_id: 0.5 for call_id in STORED[:2000] if place_of(call_id) < 0.5}
    mixed |= {call_id: 0.125 for call_id in STORED[2000:] if place_of(call_id) < 0.125}
    assert not no_sample(mixed, STORED)


def test_one_call_that_is_missing_is_seen():
    rates = taken(0.5)
    rates.pop(next(iter(rates)))
    (complaint,) = no_sample(rates, STORED)
    assert complaint.startswith("1 calls of every sample")


def test_nothing_scored_at_all_is_seen():
    complaints = no_sample({}, STORED)
    assert complaints[0].startswith("4000 calls of every sample")


def test_a_call_that_should_not_have_been_taken_is_seen():
    rates = taken(0.5)
    rates[next(call_id for call_id in STORED if place_of(call_id) >= 0.5)] = 0.5
    assert no_sample(rates, STORED) == ["1 scored calls outside of their sample"]


def test_a_stated_rate_that_was_not_the_real_one_is_seen():
    stated = dict.fromkeys(taken(0.25), 0.5)
    assert any("by the sample" in complaint for complaint in no_sample(stated, STORED))


def test_calls_that_are_all_stored_are_accounted_for():
    assert not complaints(VERDICT, STATS)


@pytest.mark.parametrize(
    ("verdict", "stats", "complaint"),
    [
        ({"lost": 1}, {}, "lost: 1, not 0"),
        ({"stored": 4, "dead_lettered": 1}, {}, "dead-lettered: 1, not 0"),
        ({"pending": 1}, {}, "pending: 1, not 0"),
        ({"duplicates": 1}, {}, "twice through the view: 1, not 0"),
        ({}, {"dropped": 1}, "dropped by the client: 1, not 0"),
        ({}, {"rejected": 1}, "rejected: 1, not 0"),
        ({}, {"acknowledged": 6}, "acknowledged by the client: 6, not 5"),
    ],
)
def test_whatever_else_became_of_a_call_is_seen(verdict, stats, complaint):
    assert complaints(replace(VERDICT, **verdict), STATS | stats) == [complaint]


def a_place(sampled=(), stored=(), **odd):
    """A place whose store has five scores of every metric, none failed, but for the odd ones."""

    def rows(query):
        if "GROUP BY" in query:
            return sampled
        if "FROM calls" in query:
            return stored
        return [next((counts for name, counts in odd.items() if f"metric = '{name}'" in query), ("5", "0"))]

    return SimpleNamespace(store=SimpleNamespace(rows=rows))


def test_every_metric_that_latency_declares_is_asked_for():
    assert not not_whole(a_place(), "latency", 5)
    assert len(not_whole(a_place(), "latency", 6)) == len(METRICS)


def test_a_metric_that_lacks_a_call_and_a_failed_score_are_seen():
    place = a_place(cost_usd=("4", "0"), queue_seconds=("5", "2"))
    assert not_whole(place, "latency", 5) == ["failed scores of queue_seconds: 2", "calls with cost_usd: 4, not 5"]


def test_a_call_of_a_sample_that_lacks_a_metric_is_seen(monkeypatch):
    monkeypatch.setattr(oracle, "at_rest", lambda *_: 0)
    calls = [(str(call_id),) for call_id in STORED[:5]]
    place = a_place([(*call, "1.0") for call in calls], calls, response_bias=("4", "1"))
    found, _ = sampled_wrongly(place, "toxicity")
    assert found == ["toxicity: calls with response_bias: 4, not 5", "toxicity: failed scores of response_bias: 1"]


@pytest.mark.parametrize(
    ("twice", "odd", "found"),
    [
        (0, {}, []),
        (1, {}, ["scores that come twice: 2"]),
        (0, {"cost_usd": ("4", "0")}, ["calls with cost_usd: 4, not 5"]),
    ],
)
def test_a_call_without_its_scores_and_a_score_that_comes_twice_are_seen(monkeypatch, twice, odd, found):
    monkeypatch.setattr(oracle, "at_rest", lambda *_: 0)
    place = a_place(**odd)
    rows = place.store.rows
    place.store.rows = lambda query: [("one",), ("two",)] if query == oracle.METRICS else rows(query)
    place.store.number = lambda query: twice
    assert unscored(place, 5) == found


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({}, []),
        ({"mended": 2}, ["windows that recompute has mended: 2"]),
        ({"kept": 3}, ["windows that recompute has kept: 3"]),
        ({"same": 0}, ["no window is as stored: there was none to look at"]),
    ],
)
def test_windows_that_do_not_hold_what_is_stored_are_seen(said, found):
    said = {"mended": 0, "kept": 0, "same": 7} | said
    stack = SimpleNamespace(tidemark=lambda *_: SimpleNamespace(stdout=json.dumps(said), stderr=""))
    place = SimpleNamespace(stack=stack, store=SimpleNamespace(number=lambda query: 1_700_000_000))
    assert miscounted(place, Config()) == (found, {"windows_as_stored": said["same"]})


def test_a_recompute_that_says_nothing_is_seen():
    stack = SimpleNamespace(tidemark=lambda *_: SimpleNamespace(stdout="", stderr="no store"))
    place = SimpleNamespace(stack=stack, store=SimpleNamespace(number=lambda query: 1_700_000_000))
    assert miscounted(place, Config()) == (["recompute: no store"], {})
