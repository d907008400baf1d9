"""Alerter, registry and rollback are killed at every step of a decision: each decision has one effect."""

import os
import signal
import sqlite3
import time
from contextlib import suppress

import pytest

from tests.support.campaign.apart import Apart
from tests.support.campaign.decision import Decision
from tests.support.campaign.fault import Fault
from tests.support.campaign.load import Load
from tests.support.campaign.schedule import Schedule

pytestmark = [pytest.mark.faults, pytest.mark.embedded, pytest.mark.kafka, pytest.mark.alone]
SERVICES = ("registry", "gateway", "writer", "latency", "windower", "alerter", "rollback")
STATES = ("", "proposed", "approved", "executing", "verifying")  # "": when the bad windows have been sent
STEPS = tuple((victim, state) for state in STATES for victim in ("alerter", "rollback", "registry"))
EFFECTS = "SELECT count(), uniqExact(revision) FROM deployments WHERE app = '{}' AND decision_id IS NOT NULL"
REACHED = "SELECT count() FROM deployments WHERE app = '{}'"


def reached(decision, state):
    """Whether the decision stands there or is past it."""
    with suppress(sqlite3.OperationalError):
        return decision.state not in STATES or STATES.index(decision.state) >= STATES.index(state)
    return False


def one_decision(scene, number):
    victim, state = scene.turn(STEPS)
    decision = Decision(scene.place, f"shop-{number}")
    decision.deploy()
    scene.until(lambda: scene.place.store.number(REACHED.format(decision.app)) == 2)
    decision.turn_bad()
    while not reached(decision, state):
        time.sleep(0.005)
    time.sleep(scene.random.uniform(0.0, 0.1))
    since = time.time()
    os.kill(scene.place.pid(victim), signal.SIGKILL)
    scene.say(f"killed {victim}, {f'the decision was {decision.state}' if state else 'the windows were sent'}")
    scene.recover(since)
    scene.until(lambda: reached(decision, "verifying"))
    decision.turn_good()
    scene.until(lambda: decision.state not in STATES)
    scene.complaints += wrong(scene, decision)
    scene.more["decisions"] = number + 1


def wrong(scene, decision):
    """Why a decision had not its one effect; empty where it had."""
    scene.until(lambda: scene.place.store.number(EFFECTS.format(decision.app)) > 0)
    ((rows, effects),) = scene.place.store.rows(EFFECTS.format(decision.app))
    found = {"ended": decision.state, "history": decision.history(), "effects": (int(rows), int(effects))}
    right = {"ended": "done", "history": ["v1", "v2", "v1"], "effects": (1, 1)}
    return [f"{decision.app}: {name} {found[name]}, not {right[name]}" for name in right if found[name] != right[name]]


@pytest.mark.timeout(3600)
def test_each_decision_has_one_effect(campaign, long):
    strikes = 4 * len(STEPS) if long else 6
    fault = Fault(
        name="killed_controllers",
        target="action controllers killed at every step: one effect per decision",
        place=lambda folder: Apart(folder, services=SERVICES),
        load=Load(2_000, 50),
        schedule=Schedule(strikes, 0.1, 0.5),
        strike=one_decision,
        smaller="" if long else f"{strikes} of the {len(STEPS)} steps",
    )
    campaign(fault)
