"""SIGKILL of a random part every few seconds, engine and broker included: nothing is lost, nothing is there twice."""

import signal
from functools import partial

import pytest

from services.windower.config import Config
from tests.support.campaign import oracle
from tests.support.campaign.fault import Fault, ended
from tests.support.campaign.load import Load
from tests.support.campaign.on_stack import LIGHT, OnStack
from tests.support.campaign.schedule import Schedule

pytestmark = [pytest.mark.faults, pytest.mark.embedded, pytest.mark.kafka, pytest.mark.alone]
EVERYBODY = (*LIGHT, "clickhouse", "broker")
WINDOWS = Config(interval_seconds="20")  # of the shipped length the last one would be waited for for minutes


def kill(scene, number):
    return ended(scene, scene.turn(EVERYBODY), signal.SIGKILL)


def windows_hold_what_is_stored(scene):
    complaints, figures = oracle.miscounted(scene.place, WINDOWS)
    scene.complaints += complaints
    scene.more |= figures


def fault(*, calls, rate, strikes):
    return Fault(
        name="killed_services",
        target="SIGKILL of a random service every 10–20 s: 0 lost in ≥ 1 M calls; p95 ≤ 30 s; recovery ≤ 20 s",
        targets={"p95_seconds": 30, "recovery_seconds": 20},
        place=partial(OnStack, TIDEMARK_WINDOWER_INTERVAL_SECONDS=WINDOWS.interval_seconds[0]),
        load=Load(calls, rate),
        schedule=Schedule(strikes, 2.0, 8.0),
        strike=kill,
        afterwards=windows_hold_what_is_stored,
        smaller="" if calls >= 1_000_000 else f"{calls:,} calls; no models",
    )


@pytest.mark.timeout(7200)
def test_nothing_is_lost_whoever_is_killed(campaign, long):
    campaign(fault(calls=250_000, rate=400, strikes=60) if long else fault(calls=20_000, rate=250, strikes=9))
