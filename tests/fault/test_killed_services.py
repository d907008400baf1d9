"""SIGKILL of a random part every few seconds, engine and broker included: nothing is lost, nothing is there twice."""

import signal
import time

import pytest

from tests.support.campaign.fault import Fault
from tests.support.campaign.load import Load
from tests.support.campaign.on_stack import LIGHT, OnStack
from tests.support.campaign.schedule import Schedule

pytestmark = [pytest.mark.faults, pytest.mark.embedded, pytest.mark.kafka, pytest.mark.alone]
EVERYBODY = (*LIGHT, "clickhouse", "broker")


def kill(scene, number):
    victim = scene.turn(EVERYBODY)
    since = time.time()
    gone = scene.place.signal(victim, signal.SIGKILL)
    scene.say(f"killed {victim}")
    scene.until(lambda: scene.place.pid(victim) not in (None, gone))
    return since


def fault(*, calls, rate, strikes):
    return Fault(
        name="killed_services",
        target="SIGKILL of a random service every 10–20 s: 0 lost in ≥ 1 M calls; p95 ≤ 30 s; recovery ≤ 20 s",
        place=OnStack,
        load=Load(calls, rate),
        schedule=Schedule(strikes, 2.0, 8.0),
        strike=kill,
        smaller="" if calls >= 1_000_000 else f"{calls:,} calls; no models",
    )


@pytest.mark.timeout(7200)
def test_nothing_is_lost_whoever_is_killed(campaign, long):
    campaign(fault(calls=250_000, rate=400, strikes=60) if long else fault(calls=20_000, rate=250, strikes=9))
