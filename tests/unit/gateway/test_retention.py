"""When a spooled message may be forgotten."""

from pathlib import Path

import pytest

from schemas.topics import TOPICS
from services.gateway.retention import PHASES, Progress, advance, passed, readers
from services.gateway.spool import Segment

CALLS_ONLY = {"latency": ["calls.v1"], "writer": ["calls.v1", "scores.v1"]}
LATER = 1000.0


def a_segment(**fields) -> Segment:
    return Segment(Path("x"), "run", 0.0, **{"closed_at_seconds": 0.0, "sent_run": "run", **fields})


def progress(ends, reads=None, run="run", **committed) -> Progress:
    return Progress(run, ends, committed, reads or {"latency": ["calls.v1"]})


def test_every_group_that_runs_has_to_commit_its_topics_but_compacted_ones():
    reads = readers(TOPICS, ["windower", "latency", "writer"])
    assert reads["windower"] == ["scores.v1"]
    assert "deployments.v1" not in reads["writer"]
    assert "calls.v1" in reads["writer"]


@pytest.mark.parametrize(
    ("latency", "writer", "expected"),
    [
        ({("calls.v1", 0): 10}, {("calls.v1", 0): 10, ("scores.v1", 0): 4}, True),
        ({("calls.v1", 0): 10}, {("calls.v1", 0): 12, ("scores.v1", 0): 40}, True),
        ({("calls.v1", 0): 9}, {("calls.v1", 0): 10, ("scores.v1", 0): 4}, False),
        ({("calls.v1", 0): 10}, {("calls.v1", 0): 10}, False),
        ({}, {("calls.v1", 0): 10, ("scores.v1", 0): 4}, False),
    ],
)
def test_a_snapshot_is_passed_when_all_groups_have_come_that_far(latency, writer, expected):
    snapshot = {("calls.v1", 0): 10, ("calls.v1", 1): 0, ("scores.v1", 0): 4}
    assert passed(snapshot, progress(snapshot, CALLS_ONLY, latency=latency, writer=writer)) is expected


def test_where_nobody_reads_calls_nothing_is_ever_passed():
    assert not passed({("calls.v1", 0): 0}, progress({}, {"alerter": ["windows.v1"]}))
    assert not passed({}, Progress("run", {}, {}, {}))


def test_a_segment_is_kept_until_the_end_of_the_chain():
    segment, steps = a_segment(), 0
    while not advance(segment, progress({("calls.v1", 0): steps}, latency={("calls.v1", 0): steps}), LATER):
        steps += 1
    assert steps == PHASES


def test_a_segment_is_kept_for_five_minutes_at_least():
    segment = a_segment(phase=PHASES, snapshot={("calls.v1", 0): 1})
    assert not advance(segment, progress({}), 299.9)
    assert advance(segment, progress({}), 300.0)


@pytest.mark.parametrize("fields", [{"sent_run": None}, {"sent_run": "before"}, {"closed_at_seconds": None}])
def test_a_segment_that_the_broker_does_not_have_is_kept(fields):
    segment = a_segment(phase=PHASES, snapshot={("calls.v1", 0): 1}, **fields)
    assert not advance(segment, progress({}), LATER)


def test_a_group_that_stands_still_keeps_the_segment():
    segment = a_segment()
    for _ in range(PHASES * 3):
        assert not advance(segment, progress({("calls.v1", 0): 5}, latency={("calls.v1", 0): 4}), LATER)
