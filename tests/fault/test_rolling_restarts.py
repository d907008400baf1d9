"""SIGTERM to one service after the other under load: each finishes what it has in hand, and nothing is lost."""

import signal

import pytest

from tests.support.campaign.fault import Fault, ended
from tests.support.campaign.load import Load
from tests.support.campaign.on_stack import LIGHT, OnStack
from tests.support.campaign.schedule import Schedule

pytestmark = [pytest.mark.faults, pytest.mark.embedded, pytest.mark.kafka, pytest.mark.alone]


def terminate(scene, number):
    return ended(scene, LIGHT[number % len(LIGHT)], signal.SIGTERM)


@pytest.mark.timeout(3600)
def test_nothing_is_lost_in_a_rolling_restart(campaign, long):
    strikes = 21 if long else len(LIGHT)
    fault = Fault(
        name="rolling_restarts",
        target="rolling SIGTERM × 20: 0 lost, stall ≤ 10 s",
        targets={"stall_seconds": 10},
        place=OnStack,
        load=Load(100_000 if long else 10_000, 200),
        schedule=Schedule(strikes, 0.5, 2.0),
        strike=terminate,
        smaller="" if long else f"{strikes} restarts",
    )
    campaign(fault)
