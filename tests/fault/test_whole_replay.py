"""Whole topics are read again into the tables that have them: the same rows, the same aggregates."""

import json

import pytest

from tests.support.campaign.fault import Fault
from tests.support.campaign.load import Load
from tests.support.campaign.on_stack import OnStack
from tests.support.campaign.schedule import Schedule

pytestmark = [pytest.mark.faults, pytest.mark.embedded, pytest.mark.kafka, pytest.mark.alone]
REPLAYED = {"calls.v1": ("writer", "latency"), "scores.v1": ("writer",)}
STATE = {
    "calls": "SELECT count(), sum(cityHash64(toJSONString(tuple(*)))) FROM calls",
    "scores": "SELECT count(), sum(cityHash64(toJSONString(tuple(*)))) FROM scores",
    "aggregates": """SELECT metric, evaluator_version, count(), round(sum(value), 6), quantileExact(0.5)(value),
        quantileExact(0.95)(value) FROM scores GROUP BY ALL ORDER BY ALL""",
}


def state(scene):
    return {name: scene.place.store.rows(query) for name, query in STATE.items()}


def too_few(messages, acknowledged, reader):
    """Every call is at least one message of each topic: who reads fewer has not read the whole of it."""
    return [f"replayed by {reader}: {messages} messages of {acknowledged} calls"] if messages < acknowledged else []


def replay_everything(scene):
    before, read = state(scene), 0
    for topic, services in REPLAYED.items():
        for service in services:
            done = scene.place.stack.tidemark("replay", topic, "--from", "0", "--service", service, "--json")
            if done.returncode:
                scene.complaints.append(f"replay of {topic} by {service}: {done.stderr.strip()[-300:]}")
                continue
            messages = json.loads(done.stdout)["messages"]
            scene.complaints += too_few(messages, scene.emitting.acknowledged, f"{service} of {topic}")
            read += messages
            scene.say(f"{service} has read {topic} again")
    changed = [name for name, found in state(scene).items() if found != before[name]]
    scene.complaints += [f"a replay changed {name}" for name in changed]
    scene.more["replayed"] = read


@pytest.mark.timeout(3600)
def test_a_replay_of_whole_topics_changes_nothing(campaign, long):
    fault = Fault(
        name="whole_replay",
        target="replay of a whole topic into the same tables: identical rows and aggregates",
        place=OnStack,
        load=Load(100_000 if long else 10_000, 250),
        schedule=Schedule(0),
        strike=lambda scene, number: 0.0,
        afterwards=replay_everything,
    )
    campaign(fault)
