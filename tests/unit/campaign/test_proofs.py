"""A fault that did not happen is no proof: strikes that missed, replays of nothing, brothers that are dead."""

import json
from itertools import count
from types import SimpleNamespace

import pytest

from services.writer.verification import Verdict
from tests.fault import test_zombies as zombies
from tests.fault.test_clickhouse_killed import mostly_in_mid_insert
from tests.fault.test_whole_replay import replay_everything
from tests.support.campaign import oracle
from tests.support.campaign.fault import Fault, Scene
from tests.support.campaign.load import Load
from tests.support.campaign.schedule import Schedule

TOLD = """# TYPE tidemark_consumed_total counter
tidemark_consumed_total{service="writer",topic="calls.v1"} 7.0
tidemark_consumed_total{service="writer",topic="scores.v1"} 98.0
"""


def a_scene(place=None, **more):
    emitting = SimpleNamespace(acknowledged=100)
    return SimpleNamespace(place=place, emitting=emitting, more=more, complaints=[], say=lambda sentence: None)


@pytest.mark.parametrize(("hit", "fine"), [(10, True), (5, True), (4, False)])
def test_most_strikes_come_in_mid_insert(hit, fine):
    scene = a_scene(killed_in_mid_insert=hit)
    mostly_in_mid_insert(10)(scene)
    assert scene.complaints == ([] if fine else [f"killed in mid-insert: {hit} of 10 times"])


@pytest.mark.parametrize(("messages", "complaints"), [(100, 0), (99, 3)])
def test_a_replay_reads_every_call_by_every_service(messages, complaints):
    done = SimpleNamespace(returncode=0, stdout=json.dumps({"messages": messages}))
    stack, store = SimpleNamespace(tidemark=lambda *_: done), SimpleNamespace(rows=lambda query: [("1", "2")])
    scene = a_scene(SimpleNamespace(stack=stack, store=store))
    replay_everything(scene)
    assert len(scene.complaints) == complaints
    assert scene.more == {"replayed": 3 * messages}


def test_a_replay_that_changes_what_is_stored_is_seen():
    done, looks = SimpleNamespace(returncode=0, stdout=json.dumps({"messages": 100})), count()
    store = SimpleNamespace(rows=lambda query: [(next(looks),)])
    scene = a_scene(SimpleNamespace(stack=SimpleNamespace(tidemark=lambda *_: done), store=store))
    replay_everything(scene)
    assert scene.complaints == ["a replay changed calls", "a replay changed scores", "a replay changed aggregates"]


@pytest.mark.parametrize(
    ("lost", "unscored", "odd", "why"),
    [
        (0, [], [], ""),
        (1, [], [], "lost: 1, not 0"),
        (0, ["a score lacks"], [], "a score lacks"),
        (0, [], ["it was odd"], "it was odd"),
    ],
)
def test_a_run_with_a_complaint_has_not_passed(monkeypatch, lost, unscored, odd, why):
    verdict = Verdict(acknowledged=5, stored=5 - lost, dead_lettered=0, lost=lost, duplicates=0, pending=0)
    monkeypatch.setattr(oracle, "judged", lambda *_: verdict)
    monkeypatch.setattr(oracle, "unscored", lambda *_: unscored)
    stats = {"dropped": 0, "rejected": 0, "acknowledged": 5, "longest_emit_seconds": 0.0}
    watch = SimpleNamespace(look=lambda: None, points=[], delays={}, repeated=0)
    scene = Scene(SimpleNamespace(restarts=0), SimpleNamespace(stop=lambda: stats), watch, None)
    nowhere = {"place": None, "load": Load(5, 1), "schedule": Schedule(0), "strike": None}
    fault = Fault(name="odd", target="", afterwards=lambda scene: scene.complaints.extend(odd), **nowhere)
    settled = fault._settled(scene)
    assert (settled["passed"], settled["why"]) == (not why, why)


def test_a_brother_that_has_ended_is_seen_and_his_log_is_named(tmp_path):
    twins = {"writer": SimpleNamespace(runs=lambda: True), "latency": SimpleNamespace(runs=lambda: False)}
    scene = a_scene(SimpleNamespace(twins=twins, data=tmp_path))
    zombies.brothers_run(scene)
    assert scene.complaints == [f"the brother of latency has ended: {tmp_path}/twins/latency.log"]


def test_what_a_brother_has_read_is_that_of_the_topic():
    assert zombies.consumed(TOLD, "calls.v1") == 7


def test_a_brother_that_does_not_answer_has_read_nothing():
    assert zombies.has_read(SimpleNamespace(name="writer", url="http://127.0.0.1:1")) == 0


@pytest.mark.parametrize(
    ("groups", "reads", "complaints"),
    [
        (["zb", "b"], [7, 8], 0),
        (["b"], [7], 1),  # all partitions, and nothing read of them
        (["zb"], [7, 8, 9], 1),  # read, and of his own half: the session of the zombie has not ended
        ([""], [7, 8, 9], 1),
    ],
)
def test_a_brother_that_is_alone_in_the_group_and_reads_on_has_taken_over(monkeypatch, groups, reads, complaints):
    told, in_group = iter(reads), iter(groups)
    monkeypatch.setattr(zombies, "has_read", lambda twin: next(told, reads[-1]))
    monkeypatch.setattr(zombies, "members", lambda *_: next(in_group, groups[-1]))
    monkeypatch.setattr(zombies, "ASLEEP_SECONDS", 0)
    monkeypatch.setattr(zombies, "PATIENCE_SECONDS", 0.3)
    woken = []
    monkeypatch.setattr(zombies.os, "kill", lambda pid, number: woken.append(pid))
    scene = a_scene(SimpleNamespace(twins={"writer": None}, bootstrap="", signal=lambda name, number: 42))
    scene.turn = lambda names: "writer"
    zombies.put_to_sleep(scene, 0)
    assert len(scene.complaints) == complaints
    assert woken == [42]
